import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { kubectlError } from '../../provision/kubernetes/kubectl.ts';
import { VOLUME_ROLES, type VolumePods, type VolumeRole } from '../../provision/kubernetes/volume-pods.ts';
import { WRITE_VOLUMES } from '../../provision/kubernetes/volume-programs.ts';

const MAX_COMPLAINT_CHARS = 4096;
const CHUNK_BYTES = 256 * 1024;

/** A file of a restored home, and where it goes below /nectar of the role's pod. */
export interface FileToPlace {
  readonly from: string;
  readonly path: string;
}

/** Folders that must be empty, by role. */
const FOLDERS: Readonly<Record<VolumeRole, readonly string[]>> = {
  store: ['/nectar/keys', '/nectar/store'],
  audit: ['/nectar/audit'],
  rollup: ['/nectar/rollup'],
};

/** Copies a restored home into the volumes of its pods; all of it is durable when this resolves. */
export async function fillPods({ start }: VolumePods, home: string): Promise<void> {
  for (const role of VOLUME_ROLES) await fillPod(start(role, WRITE_VOLUMES, FOLDERS[role]), filesOf(role, home));
}

/** As the roles have them in a cluster: what gateways share lies with the store. */
async function* filesOf(role: VolumeRole, home: string): AsyncGenerator<FileToPlace> {
  const at = (path: string): string => join(home, path);
  if (role === 'store') {
    // keys.json last: until it is there, this is no node.
    for (const name of await readdir(at('identity')))
      if (name.endsWith('.sealed')) yield { from: at(`identity/${name}`), path: `keys/identity/${name}` };
    yield* filesBelow(at('store'), 'store');
    yield { from: at('tokens.json'), path: 'store/gateway/tokens' };
    yield { from: at('keys.json'), path: 'keys/keys.json' };
  } else if (role === 'audit') yield* filesBelow(at('audit'), 'audit');
  else yield* filesBelow(at('anchor'), 'rollup/anchor');
}

async function* filesBelow(folder: string, path: string): AsyncGenerator<FileToPlace> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    const [from, to] = [join(folder, entry.name), `${path}/${entry.name}`];
    if (entry.isDirectory()) yield* filesBelow(from, to);
    else if (entry.isFile()) yield { from, path: to };
  }
}

async function fillPod(child: ChildProcessWithoutNullStreams, files: AsyncIterable<FileToPlace>): Promise<void> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (said[name].length < MAX_COMPLAINT_CHARS) said[name] += text;
    });
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close').then(
    () => undefined,
    () => undefined,
  );
  for await (const frame of framesOf(files)) {
    if (child.exitCode !== null || child.stdin.destroyed) break;
    if (!child.stdin.write(frame)) await Promise.race([once(child.stdin, 'drain').catch(() => undefined), closed]);
  }
  if (!child.stdin.destroyed) child.stdin.end();
  await closed;
  if (child.exitCode === 0 && said.stdout === 'done') return;
  throw kubectlError({ code: child.exitCode, ...said }, { doing: 'filling the volumes', context: '' });
}

async function* framesOf(files: AsyncIterable<FileToPlace>): AsyncGenerator<Uint8Array> {
  for await (const { from, path } of files) {
    const { size } = await stat(from);
    const head = Buffer.from(JSON.stringify({ path, size }));
    yield Buffer.concat([numberOf(head.length), head]);
    if (size > 0) yield* createReadStream(from, { highWaterMark: CHUNK_BYTES, end: size - 1 }) as AsyncIterable<Buffer>;
  }
  yield numberOf(0);
}

function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
