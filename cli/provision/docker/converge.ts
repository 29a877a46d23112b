import { NectarError } from '../../../protocol/errors.ts';
import { createBody, networkBody, volumeBody } from './create-body.ts';
import type { ContainerSpec, DesiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { requireKeptVolumes } from './kept-volumes.ts';
import { type Owned, ownedBy } from './owned.ts';
import { LABELS, nodeLabel } from './role-table.ts';

export interface ConvergeOptions {
  readonly say: (text: string) => void;
  /** How this engine takes the profile of a role: see `createBody`. */
  readonly seccomp: (spec: ContainerSpec) => string;
  /** Which volumes may be made. */
  readonly volumes: VolumesToMake;
  /** Done once before the first container is made anew: what it will read must be there. */
  readonly prepare?: () => Promise<void>;
}

/** What it took; all empty when everything was as it should be. */
export interface Changes {
  readonly created: readonly string[];
  readonly recreated: readonly string[];
  readonly started: readonly string[];
  readonly removed: readonly string[];
}

/** `all`: of a node that is being made; `passing`: of one that was, whose other volumes were filled then: one that is absent is lost. */
export type VolumesToMake = 'all' | 'passing';

/**
 * Makes networks and volumes that are absent. Nothing that exists is changed, and nothing is ever removed.
 *
 * @throws NectarError CLI_ENGINE_NAME_TAKEN, VOLUME_MISSING (both before anything is changed)
 */
export async function convergeGround(engine: Engine, state: DesiredState, volumes: VolumesToMake): Promise<string[]> {
  const owned = ownedBy(state.nodeId, engine);
  await refuseForeign(owned, state);
  if (volumes === 'passing') await requireKeptVolumes(engine, state);
  const created: string[] = [];
  for (const network of state.networks) {
    if (await owned.network(network.name)) continue;
    await engine.networks.create(networkBody(network));
    created.push(network.name);
  }
  for (const volume of state.volumes) {
    if (await owned.volume(volume.name)) continue;
    await engine.volumes.create(volumeBody(volume));
    created.push(volume.name);
  }
  return created;
}

/**
 * Brings the engine to the desired state, from whatever state it is in: after an interruption at any step, the next run goes on.
 * A container whose specification changed is made again, the others run on; volumes are never removed. Only objects that bear
 * the node's label are touched.
 *
 * @throws NectarError CLI_ENGINE_NAME_TAKEN, VOLUME_MISSING (before anything is changed), CLI_IMAGE_MISSING
 */
export async function converge(engine: Engine, state: DesiredState, options: ConvergeOptions): Promise<Changes> {
  await requireImages(engine, state.containers);
  const created = await convergeGround(engine, state, options.volumes);
  const recreated: string[] = [];
  const started: string[] = [];
  const removed = await removeStrays(engine, state);
  if (await someDiffer(engine, state)) await options.prepare?.();
  for (const spec of state.containers) {
    const done = await convergeContainer(engine, state.nodeId, spec, options);
    if (done === 'created') created.push(spec.name);
    if (done === 'recreated') recreated.push(spec.name);
    if (done !== 'ran') started.push(spec.name);
  }
  return { created, recreated, started, removed };
}

async function convergeContainer(
  engine: Engine,
  nodeId: string,
  spec: ContainerSpec,
  { say, seccomp }: ConvergeOptions,
): Promise<'created' | 'recreated' | 'started' | 'ran'> {
  const found = await ownedBy(nodeId, engine).container(spec.name);
  const isSame = found?.Config.Labels[LABELS.spec] === spec.labels[LABELS.spec];
  if (found !== undefined && isSame) {
    if (found.State.Running && !found.State.Paused) return 'ran';
    say(`starting ${spec.role}`);
    await engine.containers.start(spec.name);
    return 'started';
  }
  if (found !== undefined) {
    say(`replacing ${spec.role}`);
    await engine.containers.stop(spec.name, spec.stopTimeoutS * 1000);
    await engine.containers.remove(spec.name, { force: true });
  }
  say(`creating ${spec.role}`);
  await engine.containers.create(createBody(spec, { seccomp: seccomp(spec) }));
  await engine.containers.start(spec.name);
  return found === undefined ? 'created' : 'recreated';
}

async function someDiffer(engine: Engine, state: DesiredState): Promise<boolean> {
  for (const { name, labels } of state.containers) {
    const found = await engine.containers.find(name);
    if (found?.Config.Labels[LABELS.spec] !== labels[LABELS.spec]) return true;
  }
  return false;
}

/** Containers of ours that the state does not know: helpers of an interrupted run. */
async function removeStrays(engine: Engine, state: DesiredState): Promise<string[]> {
  const wanted = new Set(state.containers.map(({ name }) => name));
  const removed: string[] = [];
  for (const { Id, Names } of await engine.containers.list([nodeLabel(state.nodeId)])) {
    const name = Names[0]?.replace(/^\//, '') ?? Id;
    if (wanted.has(name)) continue;
    await engine.containers.remove(Id, { force: true });
    removed.push(name);
  }
  return removed;
}

/** Everything is looked at before anything is changed: a name that is taken leaves the engine as it was. */
async function refuseForeign(owned: Owned, state: DesiredState): Promise<void> {
  for (const { name } of state.networks) await owned.network(name);
  for (const { name } of state.volumes) await owned.volume(name);
  for (const { name } of state.containers) await owned.container(name);
}

/** @throws NectarError CLI_IMAGE_MISSING */
export async function requireImages(engine: Engine, containers: readonly { image: string }[]): Promise<void> {
  for (const image of new Set(containers.map((spec) => spec.image))) {
    if ((await engine.images.find(image)) === undefined) {
      throw new NectarError('CLI_IMAGE_MISSING', { image, engine: engine.url });
    }
  }
}
