import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARK_FILE, MARKS_FILE, type MarkedVolume } from '../../../appliance/volume-marks.ts';
import { type ArchiveFile, encodeArchive } from './archive.ts';
import type { MountSpec } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { runHelper, withHelper } from './helper.ts';
import { VERIFY_AND_SYNC } from './helper-programs.ts';
import type { SharedFiles } from './node-spec.ts';
import { AUTHORITIES, type ContainerRole, type DataVolume, NODE_HOME, OWNER, objectName, UIDS } from './role-table.ts';

/** Whose volumes, and with which image they are reached. */
export interface VolumeAccess {
  readonly nodeId: string;
  readonly version: string;
  readonly images: Readonly<Record<ContainerRole, string>>;
}

const PRIVATE = 0o600;
const PRIVATE_FOLDER = 0o700;
const PUBLIC = 0o644;

type PrivateVolume = 'keys' | 'gateway' | MarkedVolume;

/** What of a freshly made home goes into which private volume: paths as in docs/design/0002-containers.md. */
function privateFiles(home: string): Readonly<Record<PrivateVolume, ArchiveFile[]>> {
  const file = (path: string, from: string, uid: number): ArchiveFile => ({
    path,
    uid,
    mode: PRIVATE,
    content: readFileSync(join(home, from)),
  });
  const { store, audit, gateway } = UIDS;
  const sealed = readdirSync(join(home, 'identity')).filter((name) => name.endsWith('.sealed'));
  return {
    keys: [
      file('keys.json', 'keys.json', store),
      { path: 'identity', uid: store, mode: PRIVATE_FOLDER },
      ...sealed.map((name) => file(`identity/${name}`, join('identity', name), store)),
    ],
    gateway: [
      { path: 'tls', uid: gateway, mode: PRIVATE_FOLDER },
      ...['ca.crt', 'server.crt', 'server.key'].map((name) => file(`tls/${name}`, join('tls', name), gateway)),
      file('tokens.json', 'tokens.json', gateway),
    ],
    store: [file(MARK_FILE, join('store', MARK_FILE), store)],
    audit: [file(MARK_FILE, join('audit', MARK_FILE), audit)],
  };
}

/** Writes the private halves of a new node into its volumes; they are durable and verified when this resolves. */
export async function fillPrivateVolumes(engine: Engine, access: VolumeAccess, home: string): Promise<void> {
  const files = privateFiles(home);
  const volumes = Object.keys(files) as PrivateVolume[];
  const done = await Promise.allSettled(
    volumes.map((volume) => fillVolume(engine, access, { volume, files: files[volume] })),
  );
  // No helper of ours goes on behind an undo.
  for (const one of done) if (one.status === 'rejected') throw one.reason;
}

/** Writes what every role reads. A file that is the same is written again: who changed it in the volume is overruled. */
export async function fillConfigVolume(engine: Engine, access: VolumeAccess, shared: SharedFiles): Promise<void> {
  const file = (path: string, content: Uint8Array): ArchiveFile => ({ path, uid: 0, mode: PUBLIC, content });
  const files = [
    file('config.json', shared.config),
    file('network.json', shared.network),
    file('public.json', shared.publicIdentity),
    ...(shared.volumeMarks === undefined ? [] : [file(MARKS_FILE, shared.volumeMarks)]),
    ...(shared.authorities === undefined ? [] : [file(AUTHORITIES, shared.authorities)]),
  ];
  await fillVolume(engine, access, { volume: 'config', files });
}

export async function fillVolume(
  engine: Engine,
  { nodeId, version, images }: VolumeAccess,
  { volume, files }: { volume: DataVolume; files: readonly ArchiveFile[] },
): Promise<void> {
  const owner = OWNER[volume] ?? 'store';
  const target = `${NODE_HOME}/${volume}`;
  const mount: MountSpec = { kind: 'volume', source: objectName(nodeId, volume), target, readOnly: false };
  const base = { nodeId, version, image: images[owner], uid: UIDS[owner] };
  // It never runs: the engine gives an empty volume the owner that the image's folder has, and extracts what we hand it.
  await withHelper(engine, { ...base, mounts: [mount] }, async (name) => {
    const tar = await encodeArchive(files);
    try {
      await engine.containers.putArchive(name, target, tar);
    } finally {
      tar.fill(0);
    }
  });
  const args = files.flatMap(({ path, content }) =>
    content === undefined ? [] : [`${createHash('sha256').update(content).digest('hex')} ${target}/${path}`],
  );
  const program = { source: VERIFY_AND_SYNC, args };
  await runHelper(engine, { ...base, mounts: [{ ...mount, readOnly: true }], program });
}
