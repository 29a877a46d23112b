import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { homePaths } from '../../appliance/config/index.ts';
import { tryLock } from '../../appliance/folder-lock.ts';
import { NectarError } from '../../protocol/errors.ts';
import { desiredState, type NodeSpec } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { runHelper } from '../provision/docker/helper.ts';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { ownedBy } from '../provision/docker/owned.ts';
import { NODE_HOME, objectName, UIDS } from '../provision/docker/role-table.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget, requireClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { kubectlError } from '../provision/kubernetes/kubectl.ts';
import { openKubectl } from '../provision/kubernetes/open-kubectl.ts';
import { readPods } from '../provision/kubernetes/pod-states.ts';
import { readRoleSets } from '../provision/kubernetes/role-sets.ts';
import { withVolumePods } from '../provision/kubernetes/volume-pods.ts';
import type { Terminal } from '../terminal.ts';
import { readVolumeSets } from './volumes/cluster-volumes.ts';

/** Where the database is now; null: there was none. */
export interface SetAside {
  readonly aside: string | null;
}

const MOVED = 'moved';
const MAX_SAID_CHARS = 4096;
/** Arguments: from, to. Its exit code says whether it went well, and its output whether there was anything. */
const MOVE = `
import { existsSync, renameSync } from 'node:fs';
const [from, to] = process.argv.slice(1);
if (existsSync(from)) {
  renameSync(from, to);
  process.stdout.write('${MOVED}');
}
`;

/**
 * Puts the chain database of a node that is down aside, so that its next start derives the chain from L1. It is moved, not removed:
 * its archive may hold the data of batches that L1 has forgotten.
 *
 * @throws NectarError NODE_HOME_IN_USE while the node is up
 */
export function setChainAside(home: string, terminal: Terminal): Promise<SetAside> {
  const stamp = new Date(terminal.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  if (findClusterTarget(home) !== undefined) return inCluster(home, stamp, terminal);
  return findTarget(home) === undefined ? inFolder(home, stamp) : inVolume(home, stamp, terminal);
}

/** In the volume of the rollup role, by a pod that has it alone. Its sets are scaled down: `down`. */
async function inCluster(home: string, stamp: string, terminal: Terminal): Promise<SetAside> {
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  const isThere = async (): Promise<boolean> =>
    (await readPods(kubectl, target)).some((pod) => pod.role === 'rollup') ||
    (await readRoleSets(kubectl, target)).some((set) => set.role === 'rollup' && set.wanted > 0);
  if (await isThere()) throw new NectarError('NODE_HOME_IN_USE', { home });
  const rollup = (await readVolumeSets(kubectl, target)).get('rollup');
  const sets = new Map(rollup && [['rollup', rollup] as const]);
  const database = `${NODE_HOME}/rollup/db`;
  const aside = `${database}-${stamp}`;
  return withVolumePods(kubectl, { name: target, sets, write: true, running: [] }, async ({ start }) => {
    // Brought up meanwhile: nothing is moved below a role that runs.
    if (await isThere()) throw new NectarError('NODE_HOME_IN_USE', { home });
    const said = await finished(start('rollup', MOVE, [database, aside]));
    if (said.code !== 0) throw kubectlError(said, { doing: 'putting the chain database aside', context: '' });
    return { aside: said.stdout.includes(MOVED) ? aside : null };
  });
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (said[name].length < MAX_SAID_CHARS) said[name] += text;
    });
  child.stdin.on('error', () => undefined);
  child.stdin.end();
  await once(child, 'close');
  return { code: child.exitCode, ...said };
}

async function inFolder(home: string, stamp: string): Promise<SetAside> {
  const { rollupDatabase, locks } = homePaths(home);
  const held = [];
  try {
    for (const path of locks('all')) {
      const lock = await tryLock(path, 'chain rebuild');
      if (lock === undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
      held.push(lock);
    }
    if (!existsSync(rollupDatabase)) return { aside: null };
    const aside = `${rollupDatabase}-${stamp}`;
    await rename(rollupDatabase, aside);
    return { aside };
  } finally {
    for (const lock of held) await lock.release();
  }
}

function inVolume(home: string, stamp: string, terminal: Terminal): Promise<SetAside> {
  const { spec, target } = readDockerNode(home);
  return setVolumeAside(openEngine(terminal, target.engine), spec, { home, stamp });
}

/** The same in the volume of a node in containers, by a helper that sees nothing else. */
export async function setVolumeAside(
  engine: Engine,
  spec: NodeSpec,
  { home, stamp }: { readonly home: string; readonly stamp: string },
): Promise<SetAside> {
  const { nodeId, version, images } = spec;
  const rollup = desiredState(spec).containers.find(({ role }) => role === 'rollup');
  const found = rollup && (await ownedBy(nodeId, engine).container(rollup.name));
  if (found !== undefined && !['exited', 'created'].includes(found.State.Status))
    throw new NectarError('NODE_HOME_IN_USE', { home });
  const folder = `${NODE_HOME}/rollup`;
  const aside = `${folder}/db-${stamp}`;
  await runHelper(engine, {
    ...{ nodeId, version, image: images.rollup, uid: UIDS.rollup },
    mounts: [{ kind: 'volume', source: objectName(nodeId, 'rollup'), target: folder, readOnly: false }],
    program: { source: MOVE, args: [`${folder}/db`, aside] },
  });
  return { aside };
}
