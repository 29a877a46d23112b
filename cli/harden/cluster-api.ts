import { request } from 'node:https';
import { openDocument } from '../../hardening/collectors/document.ts';
import type { ClusterApi } from '../../hardening/collectors/kubernetes/cluster-api.ts';
import { type KubeObject, kubeObjectsOf } from '../../hardening/collectors/kubernetes/manifests.ts';
import { isNectarError } from '../../protocol/errors.ts';
import type { Kubectl } from '../provision/kubernetes/kubectl.ts';

const ANONYMOUS_MS = 10_000;
const EXECUTE_MS = 60_000;

/** The cluster as the user's kubectl reaches it, as it was when each list was first asked for. */
export function createClusterApi(kubectl: Kubectl): ClusterApi {
  const lists = new Map<string, Promise<readonly KubeObject[]>>();
  async function read(resource: string, where: 'namespace' | 'cluster', signal: AbortSignal): Promise<KubeObject[]> {
    const scope = where === 'cluster' ? ['--all-namespaces'] : [];
    const answer = await kubectl.until(signal).json(['get', resource, ...scope, '-o', 'json']);
    return kubeObjectsOf(openDocument(answer, resource));
  }
  return {
    list(resource, where, signal) {
      const key = `${where} ${resource}`;
      const known = lists.get(key) ?? read(resource, where, signal);
      lists.set(key, known);
      return known;
    },
    get: (path, signal) => kubectl.until(signal).json(['get', '--raw', path]),
    async refusalOf(manifest, signal) {
      try {
        const input = JSON.stringify(manifest);
        await kubectl.until(signal).run(['create', '--dry-run=server', '-o', 'name', '-f', '-'], { input });
        return undefined;
      } catch (error) {
        if (isNectarError(error, 'CLUSTER_FORBIDDEN')) return error.data.reason;
        if (isNectarError(error, 'CLUSTER_REFUSED')) return error.data.reason;
        throw error;
      }
    },
    execute: ({ pod, container }, command, signal) =>
      kubectl.until(signal).run(['exec', pod, '-c', container, '--', ...command], { timeoutMs: EXECUTE_MS }),
    async anonymousStatus(path, signal) {
      const { server, ca } = await serverOf(kubectl.until(signal));
      return getWithoutCredentials(new URL(path, server), { ca, signal });
    },
  };
}

interface Server {
  readonly server: string;
  /** undefined: one of the system's authorities. */
  readonly ca: string | undefined;
}

/** Where the API server is; nothing of the user is read from the configuration. */
async function serverOf(kubectl: Kubectl): Promise<Server> {
  const cluster = '{.clusters[0].cluster.server}{"\\n"}{.clusters[0].cluster.certificate-authority-data}';
  const text = await kubectl.run(['config', 'view', '--raw', '--minify', '--flatten', '-o', `jsonpath=${cluster}`]);
  const [server = '', encoded = ''] = text.split('\n');
  return { server, ca: encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8') };
}

function getWithoutCredentials(
  url: URL,
  { ca, signal }: { readonly ca: string | undefined; readonly signal: AbortSignal },
): Promise<number> {
  if (url.protocol !== 'https:')
    return Promise.reject(new Error(`the API server is reached without TLS (${url.origin})`));
  return new Promise((resolve, reject) => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(ANONYMOUS_MS)]);
    const sent = request(url, { agent: false, signal: bounded, ...(ca !== undefined && { ca }) }, (answer) => {
      answer.destroy();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve(0);
      else reject(error);
    });
    sent.end();
  });
}
