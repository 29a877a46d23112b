import { join } from 'node:path';
import { Value } from 'typebox/value';
import { AuditVerdict } from '../../appliance/gateway/audit-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { MountSpec } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { followHelper } from '../provision/docker/helper.ts';
import { type DockerNode, readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { ownedBy } from '../provision/docker/owned.ts';
import { type DataVolume, NODE_HOME, objectName, UIDS } from '../provision/docker/role-table.ts';
import { findBodyKey } from '../provision/process/find-body-key.ts';
import type { OfflineVerification } from '../provision/process/verify-offline.ts';
import { withScratch } from '../provision/staging-folder.ts';
import { withVolumes } from './volumes/open-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

/**
 * Verifies the audit log of a node in containers that is down, where it lies: in a container made for it, with the log mounted
 * read-only and no network. Its keys are opened here, and only the one that opens bodies is handed over, on standard input.
 * undefined: the log is in use, or not on this engine.
 */
export async function verifyContainers(request: OfflineVerification): Promise<AuditVerdict | undefined> {
  const { home, terminal, passphrase, say } = request;
  const node = readDockerNode(home);
  const engine = openEngine(terminal, node.target.engine);
  const owned = ownedBy(node.spec.nodeId, engine);
  const log = await owned.container(objectName(node.spec.nodeId, 'audit'));
  if (log?.State.Running === true || !(await owned.volume(objectName(node.spec.nodeId, 'audit')))) return undefined;
  const bodyKey = await openBodyKey(engine, node, { terminal, passphrase });
  try {
    return await runVerification(engine, node, { bodyKey, say });
  } finally {
    bodyKey?.fill(0);
  }
}

async function openBodyKey(
  engine: Engine,
  node: DockerNode,
  { terminal, passphrase }: Pick<OfflineVerification, 'terminal' | 'passphrase'>,
): Promise<Uint8Array | undefined> {
  return withScratch(join(node.home, 'run', 'verify'), async (staging) => {
    await withVolumes(engine, node, (volumes) => stageSmallFiles(node.home, volumes, staging));
    return findBodyKey({ home: staging, keyFile: node.config.keys.keyFile, passphrase, terminal });
  });
}

async function runVerification(
  engine: Engine,
  { spec }: DockerNode,
  { bodyKey, say }: { readonly bodyKey: Uint8Array | undefined; readonly say: (text: string) => void },
): Promise<AuditVerdict> {
  const { nodeId, version, images } = spec;
  const mount = (volume: DataVolume): MountSpec => {
    return { kind: 'volume', source: objectName(nodeId, volume), target: `${NODE_HOME}/${volume}`, readOnly: true };
  };
  const helper = { nodeId, version, image: images.audit, uid: UIDS.audit, mounts: [mount('config'), mount('audit')] };
  let verdict: AuditVerdict | undefined;
  await followHelper(engine, { ...helper, program: { verb: ['verify', 'audit'], input: bodyKey } }, (line) => {
    const said = parseLine(line);
    if (said.leaves !== undefined) say(`${said.leaves} of ${said.total} leaves`);
    verdict = said.verdict ?? verdict;
  });
  if (verdict !== undefined) return verdict;
  throw new NectarError('CLI_CONTAINER_ENDED', { container: 'helper', exitCode: 0, reason: 'it gave no verdict' });
}

interface Said {
  readonly leaves?: number;
  readonly total?: number;
  readonly verdict?: AuditVerdict;
}

/** A line that is neither progress nor a verdict is one of the runtime's. */
function parseLine(line: string): Said {
  try {
    const { leaves, total, verdict } = JSON.parse(line) as Record<string, unknown>;
    if (typeof leaves === 'number' && typeof total === 'number') return { leaves, total };
    return Value.Check(AuditVerdict, verdict) ? { verdict } : {};
  } catch {
    return {};
  }
}
