import { type Kubectl, kubectlError } from './kubectl.ts';
import { type RunTool, runTool } from './run-tool.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/** The user's helm, at the same place as kubectl. */
export interface Helm {
  /** @throws NectarError CLUSTER_TOOL_MISSING, CLUSTER_REFUSED and its kind */
  run(args: readonly string[], options?: { readonly timeoutMs?: number }): Promise<string>;
}

export interface HelmDeps {
  readonly signal: AbortSignal;
  readonly run?: RunTool;
}

export function createHelm({ place, env }: Kubectl, { signal, run = runTool }: HelmDeps): Helm {
  const { context, namespace } = place;
  const global = [...(context === undefined ? [] : [`--kube-context=${context}`]), `--namespace=${namespace}`];
  return {
    async run(args, { timeoutMs = TIMEOUT_MS } = {}) {
      const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES };
      const result = await run(['helm', ...args, ...global], { env, signal, ...limits });
      if (result.code === 0) return result.stdout;
      const doing = `helm ${args[0] ?? ''}`;
      throw kubectlError(result, { doing, context: context ?? '' });
    },
  };
}
