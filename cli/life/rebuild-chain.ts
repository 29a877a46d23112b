import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { homePaths } from '../../appliance/config/index.ts';
import { tryLock } from '../../appliance/folder-lock.ts';
import { NectarError } from '../../protocol/errors.ts';
import { containerStatus } from '../provision/docker/container-status.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import { runHelper } from '../provision/docker/helper.ts';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { NODE_HOME, objectName, UIDS } from '../provision/docker/role-table.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import type { Terminal } from '../terminal.ts';

/** Where the database is now; null: there was none. */
export interface SetAside {
  readonly aside: string | null;
}

/** Arguments: from, to. Says in its exit code alone whether it went well. */
const MOVE = `
import { existsSync, renameSync } from 'node:fs';
const [from, to] = process.argv.slice(1);
if (existsSync(from)) renameSync(from, to);
`;

/**
 * Puts the chain database of a node that is down aside, so that its next start derives the chain from L1. It is moved, not removed:
 * its archive may hold the data of batches that L1 has forgotten.
 *
 * @throws NectarError NODE_HOME_IN_USE while the node is up
 */
export function setChainAside(home: string, terminal: Terminal): Promise<SetAside> {
  const stamp = new Date(terminal.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  return findTarget(home) === undefined ? inFolder(home, stamp) : inVolume(home, stamp, terminal);
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

async function inVolume(home: string, stamp: string, terminal: Terminal): Promise<SetAside> {
  const { spec, target } = readDockerNode(home);
  const engine = openEngine(terminal, target.engine);
  const state = desiredState(spec);
  const rollup = (await containerStatus(engine, state)).find(({ role }) => role === 'rollup');
  if (rollup !== undefined && !['exited', 'created', 'absent'].includes(rollup.state))
    throw new NectarError('NODE_HOME_IN_USE', { home });
  const { nodeId, version, images } = spec;
  const folder = `${NODE_HOME}/rollup`;
  const aside = `${folder}/db-${stamp}`;
  await runHelper(engine, {
    ...{ nodeId, version, image: images.rollup, uid: UIDS.rollup },
    mounts: [{ kind: 'volume', source: objectName(nodeId, 'rollup'), target: folder, readOnly: false }],
    program: { source: MOVE, args: [`${folder}/db`, aside] },
  });
  return { aside };
}
