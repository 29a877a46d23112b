import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { stopProcess } from '../provision/process/stop-node.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { requireDuration } from './up.ts';

export function registerDown(program: Command, terminal: Terminal): void {
  addVerb(program, 'down', {
    summary: 'stop the node: requests in flight end, everything on disk stays consistent',
    examples: ['down', 'down --timeout 2m'],
  })
    .addOption(new Option('--timeout <duration>', 'how long it may take before it is killed').default('30s'))
    .action(action(terminal, down));
}

async function down({ home, options, terminal, output }: Call<{ timeout: string }>): Promise<void> {
  requireHome(home);
  const timeoutMs = requireDuration(options.timeout);
  if (findClusterTarget(home) !== undefined) return downPods({ home, timeoutMs, terminal, output });
  if (findTarget(home) !== undefined) return downContainers({ home, timeoutMs, terminal, output });
  const stopped = await showWork(terminal, output, 'stopping the node', () =>
    stopProcess(home, { signal: terminal.signal, timeoutMs }),
  );
  if (stopped.killed)
    output.note('It did not end in time and was killed. Nothing acknowledged is lost; the next `up` recovers.');
  output.result({ home, ...stopped }, stopped.wasRunning ? 'stopped' : 'it was not running');
}

async function downPods({ home, timeoutMs, terminal, output }: DownContainers): Promise<void> {
  const { stopPods } = await import('../provision/kubernetes/stop-pods.ts');
  const stopped = await showWork(terminal, output, 'stopping the pods', (say) =>
    stopPods(home, { timeoutMs, say, terminal }),
  );
  output.result({ home, ...stopped }, stopped.wasRunning ? 'stopped' : 'it was not running');
}

async function downContainers({ home, timeoutMs, terminal, output }: DownContainers): Promise<void> {
  const { stopNodeContainers } = await import('../provision/docker/stop-containers.ts');
  const stopped = await showWork(terminal, output, 'stopping the containers', (say) =>
    stopNodeContainers(home, { timeoutMs, say, terminal }),
  );
  if (stopped.killed.length > 0)
    output.note(
      `${stopped.killed.join(', ')} did not end in time and was killed. Nothing acknowledged is lost; the next \`up\` recovers.`,
    );
  output.result({ home, ...stopped }, stopped.wasRunning ? 'stopped' : 'it was not running');
}

type DownContainers = Pick<Call<object>, 'home' | 'terminal' | 'output'> & { readonly timeoutMs: number };
