import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublicIdentity } from '../../../appliance/config/index.ts';
import { MARKED_VOLUMES, markVolumes } from '../../../appliance/volume-marks.ts';
import { parseDescriptor } from '../../../protocol/network/descriptor.ts';
import { refuseExisting } from '../../home-folder.ts';
import { showWork } from '../../render/work.ts';
import { fillHome, refuseInside } from '../process/create-home.ts';
import {
  admit,
  homeRequest,
  type InitRequest,
  type InitResult,
  openDescriptor,
  withDevnetNamed,
} from '../process/init-node.ts';
import { overwriteAndRemove } from '../process/overwrite.ts';
import { buildAside } from '../staging-folder.ts';
import { bringUpDocker } from './bring-up.ts';
import { convergeGround, requireImages } from './converge.ts';
import { desiredState } from './desired-state.ts';
import { emitCompose } from './emit-compose.ts';
import type { Engine } from './engine.ts';
import { fillPrivateVolumes } from './fill-volumes.ts';
import { gatewayUrl } from './gateway-url.ts';
import { readDockerNode, requireTarget } from './node-spec.ts';
import type { DockerPlan } from './plan-docker.ts';
import { reachDevnet } from './reach-devnet.ts';
import { undoAbandoned, undoNode } from './staging.ts';
import { type DockerTarget, writeTarget } from './target-file.ts';

export interface DockerInitRequest extends InitRequest {
  readonly plan: DockerPlan;
  readonly engine: Engine;
  readonly version: string;
  /** Write a Compose file instead of making containers. */
  readonly emit: boolean;
}

/** The private halves lie in volumes once these are gone from the host. */
const PRIVATE_PATHS = ['keys.json', 'tokens.json', 'tls/server.key', 'tls/server.crt'] as const;

/**
 * `init --target docker`. The home is made beside its final place, its private part is moved into volumes, and only then it becomes
 * the home: what an interruption left before is taken away by the next `init`, and from there on the next one goes on.
 */
export async function initDocker(request: DockerInitRequest): Promise<InitResult> {
  return withDevnetNamed(request, () => makeNode(request));
}

async function makeNode(request: DockerInitRequest): Promise<InitResult> {
  const { plan, engine, terminal } = request;
  refuseExisting(plan.home);
  if (plan.keyFile !== undefined) refuseInside(plan.keyFile, plan.home);
  const images = imagesOf(plan);
  await requireImages(
    engine,
    Object.values(images).map((image) => ({ image })),
  );
  await undoAbandoned(plan.home, engine);
  const descriptor = await openDescriptor(request);
  await buildAside(plan.home, 'staging', async (folder) => {
    try {
      await fillStaging(request, folder, { descriptor: descriptor.bytes, images });
      terminal.signal.throwIfAborted();
    } catch (error) {
      await undoNode(folder, engine, { keyFile: madeKeyFile(request) });
      throw error;
    }
  });
  return finishInit(request);
}

async function fillStaging(
  request: DockerInitRequest,
  folder: string,
  { descriptor, images }: { readonly descriptor: Uint8Array; readonly images: DockerTarget['images'] },
): Promise<void> {
  const { terminal, output } = request;
  const identity = await showWork(terminal, output, 'making keys and certificates', (say) =>
    fillHome(folder, homeRequest(request, descriptor), (step) => say(`making the ${step}`)),
  );
  await markVolumes(folder);
  await writeTarget(folder, await newTarget(request, identity, images));
  await showWork(terminal, output, 'making volumes and networks', () => settle(request, folder));
}

/** From the complete home to the admitted node; also what is left after an interruption. */
export async function finishInit(request: DockerInitRequest): Promise<InitResult> {
  const { plan, engine, passphrase, terminal, output, timeoutMs, emit } = request;
  const { home } = plan;
  try {
    if (emit) {
      await emitCompose(home, terminal);
      return await result(home);
    }
    await bringUpDocker({ home, terminal, output, timeoutMs, passphrase: passphrase && new Uint8Array(passphrase) });
    try {
      if (plan.network === 'devnet') await admit(request);
    } finally {
      // Admitted or not, it is a node that serves its owner; only a kill in between leaves the rest to the next `init`.
      await writeTarget(home, { ...requireTarget(home), state: 'ready' });
    }
    return await result(home);
  } catch (error) {
    if (terminal.signal.aborted) await undoNode(home, engine, { keyFile: madeKeyFile(request) });
    throw error;
  } finally {
    passphrase?.fill(0);
  }
}

/** Networks, volumes, what lies in them, and the way to the devnet. */
async function settle({ plan, engine, terminal }: DockerInitRequest, staging: string): Promise<void> {
  const node = readDockerNode(staging);
  await convergeGround(engine, desiredState(node.spec), 'all');
  const { nodeId } = requireTarget(staging);
  await reachDevnet(engine, { home: staging, devnet: plan.devnet, nodeId, signal: terminal.signal });
  await fillPrivateVolumes(engine, node.spec, staging);
  for (const path of PRIVATE_PATHS) await overwriteAndRemove(join(staging, path));
  for (const path of await sealedFiles(staging)) await overwriteAndRemove(path);
  for (const name of ['logs', ...MARKED_VOLUMES]) await rm(join(staging, name), { recursive: true, force: true });
}

async function newTarget(
  { engine, version }: DockerInitRequest,
  { nodeId }: PublicIdentity,
  images: DockerTarget['images'],
): Promise<DockerTarget> {
  const { kind } = await engine.facts();
  return {
    ...{ version: 1, target: 'docker', state: 'creating' },
    ...{ engine: engine.url, engineKind: kind, nodeId, programVersion: version, images },
  };
}

function imagesOf({ images }: DockerPlan): DockerTarget['images'] {
  const id = (role: keyof typeof images): string => images[role].id ?? images[role].name;
  return { gateway: id('gateway'), store: id('store'), audit: id('audit'), rollup: id('rollup') };
}

function madeKeyFile({ plan, keyFileIsOurs }: DockerInitRequest): string | undefined {
  return keyFileIsOurs === true ? plan.keyFile : undefined;
}

async function sealedFiles(home: string): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  const folder = join(home, 'identity');
  return (await readdir(folder)).filter((name) => name.endsWith('.sealed')).map((name) => join(folder, name));
}

async function result(home: string): Promise<InitResult> {
  const { config } = readDockerNode(home);
  const identity = JSON.parse(await readFile(join(home, 'identity', 'public.json'), 'utf8')) as PublicIdentity;
  const { name } = parseDescriptor(await readFile(join(home, 'network.json'))).descriptor;
  const { nodeId, peerId } = identity;
  return { home, gateway: gatewayUrl(config.gateway), nodeId, peerId, network: name };
}
