import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { NectarError } from '../../../protocol/errors.ts';
import type { EngineCalls } from './engine-calls.ts';
import { TRANSFER_TIMEOUT_MS } from './engine-containers.ts';

const MAX_LOAD_ANSWER_BYTES = 1024 * 1024;

export type ImageState = Dockerode.ImageInspectInfo;
export type NetworkState = Dockerode.NetworkInspectInfo;

export interface VolumeState {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface Volumes {
  find(name: string): Promise<VolumeState | undefined>;
  list(labels: readonly string[]): Promise<VolumeState[]>;
  create(options: Dockerode.VolumeCreateOptions): Promise<void>;
  /** One that is gone is fine; one in use is CLI_ENGINE_REFUSED. */
  remove(name: string): Promise<void>;
}

export interface Networks {
  find(name: string): Promise<NetworkState | undefined>;
  list(labels: readonly string[]): Promise<NetworkState[]>;
  create(options: Dockerode.NetworkCreateOptions): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface Images {
  /** By id, tag or digest. */
  find(reference: string): Promise<ImageState | undefined>;
  list(labels: readonly string[]): Promise<Dockerode.ImageInfo[]>;
  /** A docker-archive or OCI tar. */
  load(archive: Readable): Promise<void>;
  /** One tar of all: with tags where named by tag, else without. */
  save(references: readonly string[]): Promise<Readable>;
  tag(reference: string, repository: string, tag: string): Promise<void>;
  remove(reference: string): Promise<void>;
}

export function createVolumes({ docker, must, find, settle }: EngineCalls): Volumes {
  // The types of dockerode know no signal here; the code takes one.
  const of = (name: string) =>
    docker.getVolume(name) as unknown as Record<'inspect' | 'remove', (options: object) => Promise<VolumeState>>;
  return {
    find: (name) => find(`looking at the volume ${name}`, (abortSignal) => of(name).inspect({ abortSignal })),
    list: async (labels) => {
      const filters = { label: [...labels] };
      const found = await must('listing volumes', (abortSignal) => docker.listVolumes({ abortSignal, filters }));
      return (found.Volumes as VolumeState[] | null) ?? [];
    },
    create: async (options) => {
      await must(`creating the volume ${options.Name}`, (abortSignal) =>
        docker.createVolume({ ...options, abortSignal }),
      );
    },
    remove: (name) => settle(`removing the volume ${name}`, (abortSignal) => of(name).remove({ abortSignal })),
  };
}

export function createNetworks({ docker, must, find, settle }: EngineCalls): Networks {
  // The types of dockerode know no options here; the code takes them.
  const of = (name: string) =>
    docker.getNetwork(name) as unknown as Record<'inspect' | 'remove', (options: object) => Promise<NetworkState>>;
  return {
    find: (name) => find(`looking at the network ${name}`, (abortSignal) => of(name).inspect({ abortSignal })),
    list: (labels) => {
      const filters = { label: [...labels] };
      return must('listing networks', (abortSignal) => docker.listNetworks({ abortSignal, filters }));
    },
    create: async (options) => {
      await must(`creating the network ${options.Name}`, (abortSignal) =>
        docker.createNetwork({ ...options, abortSignal }),
      );
    },
    remove: (name) => settle(`removing the network ${name}`, (abortSignal) => of(name).remove({ abortSignal })),
  };
}

export function createImages({ docker, signal, must, find, settle }: EngineCalls, engine: string): Images {
  return {
    find: (reference) =>
      find(`looking at the image ${reference}`, (abortSignal) =>
        docker.getImage(reference).inspect({ abortSignal } as Dockerode.ImageInspectOptions),
      ),
    list: (labels) =>
      must('listing images', (abortSignal) =>
        docker.listImages({ filters: JSON.stringify({ label: [...labels] }), abortSignal }),
      ),
    load: async (archive) => {
      const answer = await must(
        'loading images',
        () => docker.loadImage(archive, { abortSignal: signal }),
        TRANSFER_TIMEOUT_MS,
      );
      // The status was sent before the work: a failure shows in the progress lines only.
      const line = (await readBounded(answer as Readable)).split('\n').find((text) => text.includes('"error"'));
      if (line === undefined) return;
      const reason = (JSON.parse(line) as { error?: string }).error ?? 'no reason given';
      throw new NectarError('CLI_ENGINE_REFUSED', { engine, doing: 'loading images', status: 200, reason });
    },
    save: (references) =>
      must('saving images', () => dialStream(docker, `/images/get?${query(references)}&`, signal), TRANSFER_TIMEOUT_MS),
    tag: async (reference, repo, tag) => {
      await must(`tagging ${reference}`, (abortSignal) =>
        docker.getImage(reference).tag({ repo, tag, ...{ abortSignal } }),
      );
    },
    remove: (reference) =>
      settle(`removing the image ${reference}`, (abortSignal) =>
        docker.getImage(reference).remove({ ...{ abortSignal } }),
      ),
  };
}

function query(references: readonly string[]): string {
  return references.map((reference) => `names=${encodeURIComponent(reference)}`).join('&');
}

/** dockerode saves one image at a time; layers that are shared shall be in the archive once. */
function dialStream(docker: Dockerode, path: string, abortSignal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const statusCodes = { 200: true, 404: 'no such image', 500: 'server error' };
    // The modem cuts the last character of a path that brings its own query: hence the trailing `&` of the caller.
    docker.modem.dial(
      { path, method: 'GET', isStream: true, statusCodes, abortSignal } as Parameters<typeof docker.modem.dial>[0],
      (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream as Readable)),
    );
  });
}

async function readBounded(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) if (text.length < MAX_LOAD_ANSWER_BYTES) text += String(chunk);
  return text;
}
