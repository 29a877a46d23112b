import { randomBytes } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import { get, helm, kubectl, restrictedNamespace } from './cluster.ts';
import { NodeApi } from './node-api.ts';

export const CHART = 'charts/nectar-byon';
const WAIT = ['--wait', '--timeout', '15m'];
export const ROLES = ['audit', 'store', 'rollup', 'gateway'] as const;
export type Role = (typeof ROLES)[number];

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly securityContext: { readonly runAsUser?: number };
    readonly containers: readonly { readonly securityContext: Readonly<Record<string, unknown>> }[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

interface Workload {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly template?: { readonly spec: { readonly securityContext: object } } };
}

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly memory?: { readonly workingSetBytes?: number };
  }[];
}

/** A node in a namespace of its own that enforces Pod Security restricted, with the Secrets that a site would bring. */
export class Release {
  readonly namespace: string;
  readonly #values: Record<string, unknown>;
  readonly #token = randomBytes(32).toString('base64url');

  constructor(namespace: string, values: Record<string, unknown>) {
    this.namespace = namespace;
    this.#values = {
      ...values,
      image: { pullPolicy: 'Never' },
      rootKey: { existingSecret: 'root-key' },
      identity: { existingBootstrapTokenSecret: 'owner' },
      test: { existingTokenSecret: 'owner' },
    };
  }

  async prepare(): Promise<void> {
    await restrictedNamespace(this.namespace);
    const secret = (name: string, data: Readonly<Record<string, Buffer>>) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name } },
      data: Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, bytes.toString('base64')])),
    });
    const items = [
      secret('root-key', { 'root-key': randomBytes(32) }),
      secret('owner', { token: Buffer.from(this.#token) }),
    ];
    await kubectl(['-n', this.namespace, 'apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
  }

  /** Installs it, or upgrades it to other values, and waits until every pod is ready. */
  async install(values: Record<string, unknown> = {}, { chart = CHART, isAwaited = true } = {}): Promise<void> {
    const input = JSON.stringify({ ...this.#values, ...values });
    const wait = isAwaited ? WAIT : [];
    await helm(['upgrade', '--install', 'nectar', chart, '-n', this.namespace, '-f', '-', ...wait], { input });
  }

  /** To the revision before, until every pod is ready. */
  async rollback(): Promise<void> {
    await helm(['rollback', 'nectar', '-n', this.namespace, ...WAIT]);
  }

  /** The same without Helm's help, under a user and a group that the platform has drawn: as OpenShift admits the pods. */
  async applyAs(user: number): Promise<void> {
    const input = JSON.stringify({ ...this.#values, compatibility: { openshift: 'force' } });
    const { stdout } = await helm(['template', 'nectar', CHART, '-n', this.namespace, '-f', '-'], { input });
    const items = parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Workload | null) ?? []);
    // Hooks are Helm's.
    const own = items.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
    for (const { spec } of own)
      if (spec?.template !== undefined)
        Object.assign(spec.template.spec.securityContext, { runAsUser: user, runAsGroup: 0, fsGroup: user });
    await kubectl(['-n', this.namespace, 'apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: own }),
    });
  }

  async uninstall(): Promise<void> {
    await helm(['uninstall', 'nectar', '-n', this.namespace, ...WAIT]);
  }

  async test(): Promise<string> {
    const { stdout } = await helm(['test', 'nectar', '-n', this.namespace, '--timeout', '10m']);
    return stdout;
  }

  async api(): Promise<NodeApi> {
    const service = await get<{ spec: { clusterIP: string } }>(this.namespace, 'service', 'nectar-gateway');
    const secret = await get<{ data: Record<string, string> }>(this.namespace, 'secret', 'nectar-gateway-tls');
    const ca = Buffer.from(secret.data['ca.crt'] ?? '', 'base64').toString();
    return new NodeApi({ host: service.spec.clusterIP, port: 443, servername: 'nectar-gateway', ca }, this.#token);
  }

  /** The pods of a role that are not ending. */
  async pods(role: Role): Promise<Pod[]> {
    const { items } = await get<{ items: Pod[] }>(this.namespace, 'pods', '-l', `app.kubernetes.io/component=${role}`);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Which pods a role has, and how often each has started: the same after what restarts none. */
  async identity(role: Role): Promise<unknown> {
    return (await this.pods(role)).map(({ metadata, status }) => [
      metadata.uid,
      status.containerStatuses?.map(({ restartCount }) => restartCount),
    ]);
  }

  /** Ending ones too. */
  async countPods(role: Role): Promise<number> {
    const selector = ['-l', `app.kubernetes.io/component=${role}`];
    return (await get<{ items: unknown[] }>(this.namespace, 'pods', ...selector)).items.length;
  }

  async isReady(role: Role): Promise<boolean> {
    const pods = await this.pods(role);
    return pods.length >= (role === 'gateway' ? 2 : 1) && pods.every(isReady);
  }

  /** MiB of each pod, as the kubelet counts what it would hold against a limit. */
  async memory(): Promise<Record<string, number>> {
    const summary = await kubectl(['get', '--raw', '/api/v1/nodes/node1/proxy/stats/summary']);
    const { pods } = JSON.parse(summary.stdout) as Summary;
    const own = pods.filter(({ podRef }) => podRef.namespace === this.namespace);
    return Object.fromEntries(
      own.map(({ podRef, memory }) => [podRef.name, Math.round((memory?.workingSetBytes ?? 0) / 2 ** 20)]),
    );
  }

  /** What a program of Node says that runs in a pod. */
  async runIn(pod: string, program: string): Promise<string> {
    const { stdout } = await kubectl(['-n', this.namespace, 'exec', pod, '--', '/nodejs/bin/node', '-e', program]);
    return stdout;
  }
}

/** Asks for the end of a pod as a drain does: its budget may refuse it. */
export async function evict({ metadata: { name, namespace } }: Pod): Promise<string> {
  const input = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } });
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const { code, stderr } = await kubectl(['create', '--raw', path, '-f', '-'], { input, mayFail: true });
  return code === 0 ? 'evicted' : stderr;
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}
