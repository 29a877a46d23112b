import { existsSync } from 'node:fs';
import Dockerode from 'dockerode';
import { engineSocket, loadArchive } from '../../../images/load.ts';
import { encodeArchive, type Image } from '../../../images/oci.ts';

const SOCKET = engineSocket(undefined, process.env);

/** Why these tests cannot run here; undefined where they can. In CI a missing engine is a failure, not a skip. */
export const noEngine: string | undefined =
  existsSync(SOCKET) || process.env.CI === 'true' ? undefined : 'no container engine answers on this machine';

export const docker = new Dockerode({ socketPath: SOCKET });

/** Everything that these tests make carries it, and is removed by it. */
export const LABEL = 'org.nectar-byon.test.images';

export interface RunOptions {
  readonly image: string;
  readonly entrypoint: readonly string[];
  readonly user?: string;
  /** JSON text; undefined: the engine's own default. */
  readonly seccomp?: string;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs one command the way our containers run: read-only root, no capabilities, no new privileges, a small tmpfs. */
export async function runInContainer(options: RunOptions): Promise<RunResult> {
  const container = await docker.createContainer({
    Image: options.image,
    Entrypoint: [...options.entrypoint],
    Cmd: [],
    ...(options.user !== undefined && { User: options.user }),
    Labels: { [LABEL]: String(process.pid) },
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true', ...(options.seccomp === undefined ? [] : [`seccomp=${options.seccomp}`])],
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=16m' },
      // It has a loopback interface, which is all that these tests need.
      NetworkMode: 'none',
      PidsLimit: 64,
      Memory: 256 * 1024 * 1024,
    },
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const ended = collect(stream);
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const { stdout, stderr } = demultiplex(await ended);
    return { status: StatusCode, stdout, stderr: stderr.toString('utf8') };
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** The engine's frames: 1 byte stream, 3 zero, 4 length, then that many bytes. */
function demultiplex(bytes: Buffer): { stdout: Buffer; stderr: Buffer } {
  const parts: [Buffer[], Buffer[]] = [[], []];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    parts[bytes[at] === 2 ? 1 : 0].push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return { stdout: Buffer.concat(parts[0]), stderr: Buffer.concat(parts[1]) };
}

/** Loads images under names of their own, so that nobody's tags move. */
export async function load(images: readonly Image[]): Promise<void> {
  await loadArchive(SOCKET, encodeArchive(images, 0));
}

export async function removeImage(reference: string): Promise<void> {
  await docker.getImage(reference).remove({ force: true });
}
