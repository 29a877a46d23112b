import { Readable } from 'node:stream';
import Dockerode from 'dockerode';

/** The socket of Docker or Podman: --engine, DOCKER_HOST, or Docker's own. */
export function engineSocket(given: string | undefined, env: NodeJS.ProcessEnv): string {
  return (given ?? env.DOCKER_HOST ?? '/var/run/docker.sock').replace(/^unix:\/\//, '');
}

/** Loads an archive into an engine, and returns what the engine says. Rejects with its error. */
export async function loadArchive(socketPath: string, archive: Uint8Array): Promise<string> {
  const docker = new Dockerode({ socketPath });
  const answer = await docker.loadImage(Readable.from(chunksOf(archive)), { quiet: true });
  let text = '';
  for await (const chunk of answer) text += chunk;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const said = lines.map((line) => JSON.parse(line) as { stream?: string; error?: string });
  const error = said.find((line) => line.error !== undefined)?.error;
  if (error !== undefined) throw new Error(`the engine refused the images: ${error}`);
  return said.map(({ stream }) => stream ?? '').join('');
}

const CHUNK_BYTES = 1024 * 1024;

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}
