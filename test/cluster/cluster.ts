import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const machine = fileURLToPath(new URL('machine/cluster.sh', import.meta.url));
const home =
  process.env.NECTAR_CLUSTER_HOME ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k8s-test');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Why the suite is not run; false where a cluster is built. */
export const skip: string | false = existsSync(join(home, 'bin', 'built-from'))
  ? false
  : 'no cluster is built on this machine (test/cluster/machine/cluster.sh build)';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Otherwise another exit code than 0 throws with what the program said. */
  readonly mayFail?: boolean;
}

/** Starts the cluster anew and empty, which must be nobody else's for the time of the suite; with NECTAR_CLUSTER_KEEP as it is. */
export function up(): void {
  call('build');
  if (process.env.NECTAR_CLUSTER_KEEP === undefined) for (const verb of ['down', 'wipe']) call(verb);
  call('up');
}

/** Ends it and takes its rules out of the kernel; NECTAR_CLUSTER_KEEP leaves it to look at. */
export function down(): void {
  if (process.env.NECTAR_CLUSTER_KEEP === undefined) call('down');
}

export function loadImages(archive: string): void {
  call('load', archive);
}

function call(...args: string[]): void {
  const { status, stderr } = spawnSync(machine, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`cluster.sh ${args.join(' ')}: exit ${status}\n${stderr}`);
}

/** Full rights, for the program's own code, which starts kubectl by its name. */
export const kubeconfig = join(home, 'admin.conf');
export const kubectlArgv = [join(home, 'bin', 'kubernetes'), 'kubectl'] as const;

export function kubectl(args: readonly string[], options?: RunOptions): Promise<Said> {
  const [program, verb] = kubectlArgv;
  return run(program, [verb, '--kubeconfig', kubeconfig, ...args], options);
}

export function helm(args: readonly string[], options?: RunOptions): Promise<Said> {
  return run(join(home, 'bin', 'helm'), ['--kubeconfig', join(home, 'admin.conf'), ...args], options);
}

/** What kubeconform says of manifests, held against the schemas of one version of Kubernetes in which an unknown field is an error. */
export function conform(manifests: string, version: string, skipped: readonly string[]): Promise<Said> {
  const schemas = join(home, 'schemas', version, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
  const args = ['-summary', '-output', 'json', '-schema-location', schemas, '-skip', skipped.join(','), '-'];
  return run(join(home, 'bin', 'kubeconform'), args, { input: manifests, mayFail: true });
}

/** An object, or a list of them, as the API server has it. */
export async function get<T>(namespace: string, ...what: string[]): Promise<T> {
  return JSON.parse((await kubectl(['-n', namespace, 'get', ...what, '-o', 'json'])).stdout) as T;
}

function run(program: string, args: readonly string[], { input, mayFail = false }: RunOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: MAX_OUTPUT_BYTES, cwd: root }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      if (code !== 0 && !mayFail) reject(new Error(`${args.slice(0, 6).join(' ')}: exit ${code}\n${stderr}${stdout}`));
      else resolve({ code, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}

/** How often kube-proxy has changed its rules more than so many seconds (whole ones) after the pods had changed. */
export async function countLateRules(seconds: number): Promise<number> {
  const text = await (await fetch('http://127.0.0.1:27249/metrics')).text();
  const of = (suffix: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${PROGRAMMING}_${suffix}`));
    return Number(line?.split(' ')[1] ?? 0);
  };
  return of('count') - of(`bucket{le="${seconds}"}`);
}

const PROGRAMMING = 'kubeproxy_network_programming_duration_seconds';

/** A namespace that enforces Pod Security restricted, new and empty. */
export function restrictedNamespace(name: string): Promise<void> {
  const labels = Object.fromEntries(
    ['enforce', 'warn', 'audit'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
  );
  return createNamespace(name, labels);
}

/** A namespace, new and empty, with the service account without which no pod is admitted: a controller makes it some moments later. */
export async function createNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait']);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(namespace) });
  await kubectl(['-n', name, 'wait', '--for=create', 'serviceaccount/default', '--timeout=300s']);
}
