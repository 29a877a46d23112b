import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { said } from '../programs.ts';

const PACKAGE = 'github.com/versity/versitygw/cmd/versitygw';
const TOOLCHAIN = `golang.org/toolchain@v0.0.1-go1.25.4.linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
const MIN_GO_MINOR = 25;
const source = fileURLToPath(new URL('.', import.meta.url));
const POLL_MS = 50;
const STARTS = 600;

export const ACCESS = { accessKeyId: 'nectar-test', secretAccessKey: 'not-a-secret-of-anybody' };

/** An S3 server that others wrote: versitygw over a folder, with versions in another. Built once for the run of a file. */
export class VersityGateway {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nectar-s3-'));
  #server: ChildProcess | undefined;
  #port = 0;

  get endpoint(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  async start(bucket: string): Promise<void> {
    const { go, env } = await findGo();
    const program = join(this.#folder, 'versitygw');
    const flags = { GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    await said(go, ['build', '-o', program, PACKAGE], { cwd: source, env: { ...process.env, ...env, ...flags } });
    const [data, versions] = [join(this.#folder, 'data'), join(this.#folder, 'versions')];
    mkdirSync(join(data, bucket), { recursive: true });
    mkdirSync(versions);
    this.#port = await freePort();
    const args = ['--port', `127.0.0.1:${this.#port}`, '--quiet', 'posix', '--versioning-dir', versions, data];
    const access = { ROOT_ACCESS_KEY: ACCESS.accessKeyId, ROOT_SECRET_KEY: ACCESS.secretAccessKey };
    const server = spawn(program, args, { env: { ...process.env, ...access }, stdio: 'ignore' });
    this.#server = server;
    for (let i = 0; i < STARTS; i += 1) {
      if (server.exitCode !== null) throw new Error(`versitygw ended with ${server.exitCode}`);
      // Whatever it says: it answers.
      if (await fetch(this.endpoint).then(Boolean, () => false)) return;
      await sleep(POLL_MS);
    }
    throw new Error('versitygw does not answer');
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The Go of this machine, or, where that is older than versitygw, a newer one: a module of the Go proxy like any other. */
async function findGo(): Promise<{ readonly go: string; readonly env: Record<string, string> }> {
  const { stdout } = await said('go', ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const [, minor = '0'] = /go1\.(\d+)/.exec(stdout) ?? [];
  if (Number(minor) >= MIN_GO_MINOR) return { go: 'go', env: {} };
  const download = await said('go', ['mod', 'download', '-json', TOOLCHAIN], {
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  const { Dir } = JSON.parse(download.stdout) as { readonly Dir: string };
  const programs = [join(Dir, 'bin'), join(Dir, 'pkg', 'tool')];
  // Modules have no programs: what is one is made one.
  for (const folder of programs)
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o755);
  return { go: join(Dir, 'bin', 'go'), env: { GOROOT: Dir } };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
