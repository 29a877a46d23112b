import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import Dockerode from 'dockerode';
import { createBody, networkBody, volumeBody } from '../../../cli/provision/docker/create-body.ts';
import { type DesiredState, desiredState } from '../../../cli/provision/docker/desired-state.ts';
import type { Containers } from '../../../cli/provision/docker/engine-containers.ts';
import { readDockerNode } from '../../../cli/provision/docker/node-spec.ts';
import { type ContainerRole, objectName } from '../../../cli/provision/docker/role-table.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { until } from '../../e2e/workplace.ts';
import { look } from '../weakened/look.ts';
import { openTestEngine } from './docker-place.ts';
import type { Body, Host } from './weakened-body.ts';

/** Bears everything that is put beside the node, so that nothing of it is left. */
const FOREIGN_LABEL = 'org.nectar-byon.test.weakened';
const STOP_MS = 10_000;
/** The program's own mask, which it takes as it begins. */
const SETTLED = /^Umask:\s+0077$/m;

export interface StackPlace {
  readonly socket: string;
  readonly folder: string;
  readonly env: Record<string, string>;
}

/** A node in containers that is made weaker and whole again, one change at a time. */
export class WeakenedStack {
  readonly docker: Dockerode;
  readonly #containers: Containers;
  readonly #place: StackPlace;
  readonly #home: string;
  readonly #changed = new Set<ContainerRole>();
  readonly #built: string[] = [];
  readonly #undo: (() => unknown)[] = [];

  constructor(place: StackPlace, home: string) {
    this.#place = place;
    this.#home = home;
    this.#containers = openTestEngine(place.socket).containers;
    this.docker = new Dockerode({ socketPath: place.socket });
  }

  get home(): string {
    return this.#home;
  }

  /** The file that opens the node, where the store has it from. */
  get keyFile(): string {
    const path = readDockerNode(this.#home).spec.keyFile;
    if (path === undefined) throw new Error('the node has no key file');
    return path;
  }

  /** As `docker exec -u 0 -d` does; it stays until its container is made anew. */
  async runAsRoot(role: ContainerRole): Promise<void> {
    this.#changed.add(role);
    const container = this.docker.getContainer(this.name(role));
    const Cmd = ['/nodejs/bin/node', '-e', 'setInterval(() => {}, 2 ** 30)'];
    const started = await container.exec({ Cmd, User: '0:0' });
    await started.start({ Detach: true });
  }

  get folder(): string {
    return this.#place.folder;
  }

  /** Of an object of the node on the engine, by its name without the prefix. */
  name(object: string): string {
    return objectName(readDockerNode(this.#home).target.nodeId, object);
  }

  look(collectors?: readonly string[]): Promise<FactSet> {
    return look(this.#home, { env: this.#place.env, ...(collectors !== undefined && { collectors }) });
  }

  /** Makes the container of a role anew with a changed body, and starts it; all others are as `init` made them. */
  async replace(role: ContainerRole, change: (body: Body) => void): Promise<void> {
    await this.restore({ keep: role });
    const body = this.#bodyOf(role);
    change(body);
    this.#changed.add(role);
    await this.#make(role, body);
  }

  /** A container that is none of the node's; never started. */
  async addForeign(host: Host): Promise<void> {
    const { id } = await this.docker.createContainer({
      Image: this.imageOf('store'),
      Labels: { [FOREIGN_LABEL]: '' },
      HostConfig: host,
    });
    this.onRestore(() => this.docker.getContainer(id).remove({ force: true, v: true }));
  }

  imageOf(role: ContainerRole): string {
    return this.#bodyOf(role).Image ?? '';
  }

  /** Returns the id of an image built from an archive with a Dockerfile. */
  async build(context: Buffer): Promise<string> {
    const answer = await this.docker.buildImage(Readable.from([context]), { q: true, rm: true });
    let told = '';
    for await (const chunk of answer) told += String(chunk);
    const id = /sha256:[0-9a-f]{64}/.exec(told)?.[0];
    if (id === undefined) throw new Error(told);
    this.#built.push(id);
    return id;
  }

  /** On this machine, where the engine keeps a volume. */
  async volumeFolder(name: string): Promise<string> {
    return (await this.docker.getVolume(this.name(name)).inspect()).Mountpoint;
  }

  /** A volume of the gateway made anew with something changed. */
  async remakeVolume(name: string, change: Partial<Dockerode.VolumeCreateOptions>): Promise<void> {
    const spec = this.#state().volumes.find((volume) => volume.name === this.name(name));
    if (spec === undefined) throw new Error(`no volume ${name}`);
    const make = async (body: Dockerode.VolumeCreateOptions): Promise<void> => {
      await this.docker.getVolume(spec.name).remove();
      await this.docker.createVolume(body);
    };
    await this.#underGateway(() => make({ ...volumeBody(spec), ...change }));
    this.onRestore(() => this.#underGateway(() => make(volumeBody(spec))));
  }

  /** A network of the gateway made anew with something changed. */
  async remakeNetwork(name: string, change: Partial<Dockerode.NetworkCreateOptions>): Promise<void> {
    const spec = this.#state().networks.find((network) => network.name === this.name(name));
    if (spec === undefined) throw new Error(`no network ${name}`);
    const make = async (body: Dockerode.NetworkCreateOptions): Promise<void> => {
      await this.docker.getNetwork(spec.name).remove();
      await this.docker.createNetwork(body);
    };
    await this.#underGateway(() => make({ ...networkBody(spec), ...change }));
    this.onRestore(() => this.#underGateway(() => make(networkBody(spec))));
  }

  async stop(role: ContainerRole): Promise<void> {
    await this.#containers.stop(this.name(role), STOP_MS);
    this.#changed.add(role);
  }

  /** Until records can be put again: a role that was made anew takes a while. */
  async ready(): Promise<void> {
    await until('a node that is ready', async () => {
      const { subjects } = await this.look(['node', 'node-status']);
      const seen = subjects.find(({ kind }) => kind === 'node')?.facts['node.ready'];
      return seen !== undefined && 'value' in seen && seen.value === true ? true : undefined;
    });
  }

  onRestore(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /** The stack as `init` made it; a role that is changed again next may stay for now. */
  async restore({ keep }: { keep?: ContainerRole } = {}): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
    for (const role of this.#changed) {
      if (role === keep) continue;
      await this.#make(role, this.#bodyOf(role));
      this.#changed.delete(role);
    }
    if (keep !== undefined) return;
    for (const id of this.#built.splice(0)) await this.docker.getImage(id).remove({ force: true });
  }

  /** What the gateway holds is changed while it is away. */
  async #underGateway(change: () => Promise<void>): Promise<void> {
    await this.#remove('gateway');
    await change();
    await this.#make('gateway', this.#bodyOf('gateway'));
  }

  async #remove(role: ContainerRole): Promise<void> {
    await this.#containers.stop(this.name(role), STOP_MS);
    await this.#containers.remove(this.name(role), { force: true });
  }

  async #make(role: ContainerRole, body: Body): Promise<void> {
    const name = this.name(role);
    await this.#remove(role);
    await this.#containers.create(body);
    await this.#containers.start(name);
    await until(`${role} past its beginning`, async () => {
      const pid = (await this.#containers.find(name))?.State.Pid ?? 0;
      return SETTLED.test(readFileSync(`/proc/${pid}/status`, 'utf8')) ? true : undefined;
    });
  }

  #bodyOf(role: ContainerRole): Body {
    const spec = this.#state().containers.find((container) => container.role === role);
    if (spec === undefined) throw new Error(`no container ${role}`);
    return createBody(spec) as Body;
  }

  #state(): DesiredState {
    return desiredState(readDockerNode(this.#home).spec);
  }
}
