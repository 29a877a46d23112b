import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const TLS_PORT = 2376;
const PLAIN_PORT = 2375;

/** Where an engine answers. A remote one only over TLS with client certificates, or where it is this very machine. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly url: string; readonly socketPath: string }
  | {
      readonly kind: 'tcp';
      readonly url: string;
      readonly host: string;
      readonly port: number;
      readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
    };

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * `--engine` (a socket's path, or a URL as in DOCKER_HOST), else DOCKER_HOST, else the socket of a rootless engine where the
 * system-wide one is absent, else /var/run/docker.sock.
 */
export function engineAddress(named: string | undefined, env: Env): EngineAddress {
  const text = named || env.DOCKER_HOST || `unix://${defaultSocket(env)}`;
  if (text.startsWith('unix://')) return unix(text.slice('unix://'.length));
  if (!text.includes('://')) return unix(text);
  return tcp(text, env);
}

function unix(path: string): EngineAddress {
  const socketPath = resolve(path || DEFAULT_SOCKET);
  return { kind: 'unix', url: `unix://${socketPath}`, socketPath };
}

function defaultSocket({ XDG_RUNTIME_DIR }: Env): string {
  if (existsSync(DEFAULT_SOCKET) || !XDG_RUNTIME_DIR) return DEFAULT_SOCKET;
  const rootless = [join(XDG_RUNTIME_DIR, 'docker.sock'), join(XDG_RUNTIME_DIR, 'podman', 'podman.sock')];
  return rootless.find((path) => existsSync(path)) ?? DEFAULT_SOCKET;
}

function tcp(text: string, env: Env): EngineAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(tcp|https?):$/.test(url.protocol) || url.hostname === '') {
    throw new NectarError('CLI_USAGE', {
      problem: `the engine address ${text} is neither a socket's path nor unix:// nor tcp://HOST:PORT`,
    });
  }
  const secure = env.DOCKER_TLS_VERIFY === '1' || url.protocol === 'https:' || url.port === String(TLS_PORT);
  const port = Number(url.port) || (secure ? TLS_PORT : PLAIN_PORT);
  const address = { kind: 'tcp', url: `tcp://${url.hostname}:${port}`, host: url.hostname, port } as const;
  return secure ? { ...address, tls: readCertificates(env) } : address;
}

function readCertificates({ DOCKER_CERT_PATH, HOME }: Env): { ca: Buffer; cert: Buffer; key: Buffer } {
  const folder = DOCKER_CERT_PATH ?? join(HOME ?? '', '.docker');
  const read = (name: string): Buffer => {
    const path = join(folder, name);
    try {
      return readFileSync(path);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new NectarError('CLI_FILE_UNREADABLE', { path, reason }, { cause: error });
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
