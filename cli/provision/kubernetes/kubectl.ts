import { NectarError } from '../../../protocol/errors.ts';
import { type RunTool, runTool, type ToolResult } from './run-tool.ts';

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
const MAX_REASON_CHARS = 500;

/** Which cluster, as whom, in which namespace. */
export interface ClusterPlace {
  /** As in KUBECONFIG; undefined: as the environment says. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace: string;
}

export interface KubectlOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/**
 * The user's kubectl: the API server as this user reaches it, with every plugin, proxy and credential helper that the user has set
 * up. A library would be 40 packages more in the program, and would know none of those.
 */
export interface Kubectl {
  readonly place: ClusterPlace;
  /** Global arguments and environment, for what must be started in another way. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws NectarError CLUSTER_TOOL_MISSING, CLUSTER_CONTEXT_UNKNOWN, CLUSTER_UNREACHABLE, CLUSTER_FORBIDDEN, CLUSTER_REFUSED */
  run(args: readonly string[], options?: KubectlOptions): Promise<string>;
  /** Its answer as JSON. @throws NectarError CLUSTER_ANSWER_INVALID */
  json(args: readonly string[], options?: KubectlOptions): Promise<unknown>;
  /** The same way for another signal. */
  until(signal: AbortSignal): Kubectl;
}

export interface KubectlDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly run?: RunTool;
}

export function createKubectl(place: ClusterPlace, deps: KubectlDeps): Kubectl {
  const { context, kubeconfig, namespace } = place;
  const { signal, run: runOne = runTool } = deps;
  // Where several files are joined only the variable can name them.
  const env = kubeconfig === undefined ? deps.env : { ...deps.env, KUBECONFIG: kubeconfig };
  const argv = [...(context === undefined ? [] : [`--context=${context}`]), `--namespace=${namespace}`];

  async function run(args: readonly string[], { input, timeoutMs = TIMEOUT_MS }: KubectlOptions = {}): Promise<string> {
    const result = await runOne(['kubectl', ...argv, ...args], {
      ...{ env, signal, timeoutMs, maxBytes: MAX_ANSWER_BYTES },
      ...(input !== undefined && { input }),
    });
    if (result.code !== 0) throw kubectlError(result, { doing: describe(args), context: context ?? '' });
    return result.stdout;
  }

  async function json(args: readonly string[], options?: KubectlOptions): Promise<unknown> {
    const text = await run(args, options);
    try {
      return JSON.parse(text);
    } catch (error) {
      const problem = (error as Error).message;
      throw new NectarError('CLUSTER_ANSWER_INVALID', { doing: describe(args), problem }, { cause: error });
    }
  }

  return { place, argv, env, run, json, until: (other) => createKubectl(place, { ...deps, signal: other }) };
}

/** The verb and its resource; no value of an option, which may be long. */
function describe(args: readonly string[]): string {
  const words = args.filter((arg) => !arg.startsWith('-')).slice(0, 2);
  return `kubectl ${words.join(' ')}`.slice(0, 120);
}

const UNREACHABLE =
  /connection refused|no such host|i\/o timeout|was refused|Unable to connect|TLS handshake timeout|no route to host|x509:|context deadline exceeded|EOF$/;
const CONTEXT =
  /context .* (does not exist|not found)|error loading config file|current-context|no configuration has been provided|stat .*kubeconfig/i;

/** What kubectl says on stderr is for people; its first words are what there is to tell one case from the other. */
export function kubectlError(
  { stderr, stdout }: ToolResult,
  { doing, context }: { readonly doing: string; readonly context: string },
): NectarError {
  const lines = (stderr.trim() || stdout.trim()).split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => !/^(Warning:|[EWI]\d{4} )/.test(line));
  const reason = (telling.join(' ') || lines.at(-1) || 'it does not say why').slice(0, MAX_REASON_CHARS);
  if (CONTEXT.test(reason)) return new NectarError('CLUSTER_CONTEXT_UNKNOWN', { context, reason });
  if (/\(Forbidden\)|is forbidden: User|error: You must be logged in|\(Unauthorized\)/.test(reason))
    return new NectarError('CLUSTER_FORBIDDEN', { doing, reason });
  if (UNREACHABLE.test(reason)) return new NectarError('CLUSTER_UNREACHABLE', { context, reason });
  return new NectarError('CLUSTER_REFUSED', { doing, reason });
}
