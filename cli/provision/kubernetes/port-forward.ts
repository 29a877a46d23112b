import { spawn } from 'node:child_process';
import { NectarError } from '../../../protocol/errors.ts';
import { type Kubectl, kubectlError } from './kubectl.ts';

const READY_MS = 30_000;
const MAX_LINE_CHARS = 4096;
const FORWARDING = /^Forwarding from 127\.0\.0\.1:(\d+) -> /m;

/** A port of this machine that leads into a pod for as long as it is open. */
export interface PortForward {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens a way to a port of a service through the API server: it needs no address of the node outside of the cluster, and ends at
 * the node's own TLS.
 *
 * @throws NectarError CLUSTER_TOOL_MISSING, CLUSTER_UNREACHABLE, CLUSTER_FORBIDDEN, CLUSTER_REFUSED
 */
export function openPortForward(
  { argv, env, place }: Kubectl,
  { to, port, signal }: { readonly to: string; readonly port: number; readonly signal: AbortSignal },
): Promise<PortForward> {
  const args = [...argv, 'port-forward', '--address=127.0.0.1', to, `:${port}`];
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], signal });
    const closed = new Promise<void>((done) => child.once('close', () => done()));
    const close = (): Promise<void> => {
      child.kill('SIGTERM');
      return closed;
    };
    let stdout = '';
    let stderr = '';
    const late = setTimeout(() => {
      child.kill('SIGTERM');
      reject(
        new NectarError('CLUSTER_UNREACHABLE', {
          context: place.context ?? '',
          reason: `no way to ${to} within ${READY_MS / 1000} seconds`,
        }),
      );
    }, READY_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // A line for each connection: only the first says something.
      if (stdout.length > MAX_LINE_CHARS) return;
      stdout += text;
      const [, found] = FORWARDING.exec(stdout) ?? [];
      if (found === undefined) return;
      clearTimeout(late);
      resolve({ port: Number(found), close });
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_LINE_CHARS) stderr += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      if (error.code === 'ENOENT')
        reject(new NectarError('CLUSTER_TOOL_MISSING', { tool: 'kubectl' }, { cause: error }));
      else reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(late);
      reject(kubectlError({ code, stdout, stderr }, { doing: 'kubectl port-forward', context: place.context ?? '' }));
    });
  });
}
