import type { Place } from './place.ts';

export type DataVolume = 'config' | 'keys' | 'store' | 'audit' | 'rollup' | 'gateway';

/** Where everything of a node lies: in one folder, or in a volume per owner beside the folder of the command line. */
export interface NodePlaces {
  readonly home: Place;
  readonly volumes: Readonly<Record<DataVolume, Place>> | undefined;
}

export interface Location {
  readonly place: Place;
  /** Below it. */
  readonly path: string;
}

/** What has a place of its own where the volumes are: by its path in a home. The rest of it is the command line's. */
const VOLUME_OF: readonly (readonly [prefix: string, volume: DataVolume, path: string])[] = [
  ['keys.json', 'keys', 'keys.json'],
  ['identity/public.json', 'config', 'public.json'],
  ['identity', 'keys', 'identity'],
  ['tls/server.crt', 'gateway', 'tls/server.crt'],
  ['tls/server.key', 'gateway', 'tls/server.key'],
  ['tokens.json', 'gateway', 'tokens.json'],
];

/** All of them. */
export function placesOf({ home, volumes }: NodePlaces): Place[] {
  return [home, ...Object.values(volumes ?? {})];
}

/** Where the node itself keeps what a home has at `path`. */
export function locate({ home, volumes }: NodePlaces, path: string): Location {
  const found = VOLUME_OF.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
  if (volumes === undefined || found === undefined) return { place: home, path };
  const [prefix, volume, own] = found;
  return { place: volumes[volume], path: `${own}${path.slice(prefix.length)}` };
}

/** One small file; undefined where it is not there. */
export async function readSmall(
  { place, path }: Location,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  for await (const entry of place.entries(signal, path)) {
    if (entry.path !== path || entry.type !== 'file') continue;
    if (entry.bytes > maxBytes) throw new Error(`${path} is longer than ${maxBytes} bytes`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content()) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).subarray(0, maxBytes);
  }
  return undefined;
}

/** One small file with JSON in it. @throws where it is not there, or something else */
export async function readJson(places: NodePlaces, path: string, signal: AbortSignal): Promise<unknown> {
  const bytes = await readSmall(locate(places, path), 4 * 1024 * 1024, signal);
  if (bytes === undefined) throw new Error(`there is no ${path}`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Error(`${path} is not JSON`, { cause: error });
  }
}
