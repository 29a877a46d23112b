import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIdentity } from '../../appliance/config/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { refuseExisting } from '../home-folder.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { requireKeptVolumes } from '../provision/docker/kept-volumes.ts';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { AUTHORITIES, KEY_FILE, LABELS } from '../provision/docker/role-table.ts';
import { writeTarget } from '../provision/docker/target-file.ts';
import { homeError } from '../provision/process/home-error.ts';
import { buildAside, sweepAbandoned } from '../provision/staging-folder.ts';
import { readSeenNode, type SeenNode } from './seen-node.ts';
import { readVolumeFiles } from './volumes/open-volumes.ts';

export interface AdoptNode {
  readonly home: string;
  readonly engine: Engine;
  /** Of this program, whose images are used where no container tells of others. */
  readonly version: string;
  /** The first digits of the node's id; undefined: the only one on the engine. */
  readonly node: string | undefined;
  /** Where the key file lies now; undefined: where the store's container had it. */
  readonly keyFile: string | undefined;
  /** What a node without containers publishes. */
  readonly ports: { readonly gateway: number; readonly p2p: number };
}

export interface AdoptedNode {
  readonly nodeId: string;
  readonly keyFile: string | undefined;
}

/**
 * Makes the home of a node in containers anew, from its volumes and containers. Nothing on the engine is changed, and what is private
 * stays there; the token of the command line is made by the next `up`, which opens the keys for it.
 *
 * @throws NectarError ADOPT_NODE_ABSENT, ADOPT_NODE_AMBIGUOUS, VOLUME_MISSING, CLI_HOME_EXISTS
 */
export async function adoptNode(request: AdoptNode): Promise<AdoptedNode> {
  const { home, engine } = request;
  refuseExisting(home);
  const nodeId = await findNode(request);
  const seen = await readSeenNode(engine, nodeId, request);
  try {
    // As a home, not as `staging`: what an interruption of that leaves is undone with all that the engine has of the node.
    await sweepAbandoned(home, 'partial');
    return await buildAside(home, 'partial', (folder) => fillAdopted(request, folder, { nodeId, seen }));
  } catch (error) {
    throw homeError(error, home);
  }
}

async function findNode({ engine, node }: AdoptNode): Promise<string> {
  const volumes = await engine.volumes.list([LABELS.node]);
  const ids = [...new Set(volumes.map(({ Labels }) => Labels?.[LABELS.node] ?? ''))].filter((id) => id !== '');
  const found = ids.filter((id) => node === undefined || id.startsWith(node)).toSorted();
  const [nodeId, other] = found;
  if (nodeId === undefined) throw new NectarError('ADOPT_NODE_ABSENT', { engine: engine.url });
  if (other !== undefined) throw new NectarError('ADOPT_NODE_AMBIGUOUS', { engine: engine.url, nodes: found });
  return nodeId;
}

async function fillAdopted(
  request: AdoptNode,
  folder: string,
  { nodeId, seen }: { readonly nodeId: string; readonly seen: SeenNode },
): Promise<AdoptedNode> {
  const { home, engine } = request;
  const access = { nodeId, version: seen.programVersion, images: seen.images };
  const files = await readVolumeFiles(engine, access, {
    config: ['config.json', 'network.json', 'public.json', 'volumes.json', AUTHORITIES],
    gateway: ['tls/ca.crt'],
  });
  const must = (path: string): Uint8Array => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: 'not in its volume' });
    return bytes;
  };
  const identity = must('config/public.json');
  if (parseIdentity('config/public.json', Buffer.from(identity).toString('utf8')).nodeId !== nodeId)
    throw new NectarError('NODE_IDENTITY_DIFFERENT', { where: 'config/public.json', known: 'another', found: nodeId });
  const { config, keyFile } = ownersConfig(JSON.parse(Buffer.from(must('config/config.json')).toString('utf8')), {
    ...{ request, seen },
    authorities: files.has(`config/${AUTHORITIES}`) ? join(home, AUTHORITIES) : undefined,
  });
  for (const name of ['identity', 'tls', 'client', 'run'])
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  const put = (path: string, bytes: Uint8Array | string | undefined): Promise<void> =>
    bytes === undefined ? Promise.resolve() : writeFile(join(folder, path), bytes, { mode: 0o600 });
  await put('config.json', `${JSON.stringify(config, undefined, 2)}\n`);
  await put('network.json', must('config/network.json'));
  await put('identity/public.json', identity);
  await put('tls/ca.crt', must('gateway/tls/ca.crt'));
  await put('volumes.json', files.get('config/volumes.json'));
  await put(AUTHORITIES, files.get(`config/${AUTHORITIES}`));
  const { kind } = await engine.facts();
  const about = { engine: engine.url, engineKind: kind, nodeId, programVersion: seen.programVersion };
  await writeTarget(folder, { version: 1, target: 'docker', state: 'ready', ...about, images: seen.images });
  await requireKeptVolumes(engine, desiredState(readDockerNode(folder).spec));
  return { nodeId, keyFile };
}

type Raw = Record<string, Record<string, unknown> | undefined>;

/** The configuration of the containers as its owner would write it: addresses and paths of the host. */
function ownersConfig(
  raw: Raw,
  {
    request,
    seen,
    authorities,
  }: { readonly request: AdoptNode; readonly seen: SeenNode; readonly authorities: string | undefined },
): { readonly config: Raw; readonly keyFile: string | undefined } {
  const { gateway, p2p, metrics } = seen.published;
  const { host, port } = gateway ?? { host: '127.0.0.1', port: request.ports.gateway };
  const { host: listenHost, port: listenPort } = p2p ?? { host: '127.0.0.1', port: request.ports.p2p };
  const byFile = raw.keys?.keyFile === KEY_FILE;
  const keyFile = byFile ? (request.keyFile ?? seen.keyFile) : undefined;
  if (byFile && keyFile === undefined)
    throw new NectarError('CLI_USAGE', { problem: 'no container tells where the key file lies: name it, --key-file' });
  const { metricsHost: _host, metricsPort: _port, ...rest } = raw.gateway ?? {};
  const config: Raw = {
    ...raw,
    gateway: {
      ...rest,
      ...{ host, port },
      ...(metrics !== undefined && { metricsHost: metrics.host, metricsPort: metrics.port }),
    },
    p2p: { ...raw.p2p, listenHost, listenPort },
    ...(authorities !== undefined && { rollup: { ...raw.rollup, caFile: authorities } }),
    ...(keyFile !== undefined && { keys: { ...raw.keys, keyFile } }),
  };
  return { config, keyFile };
}
