import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../../protocol/errors.ts';
import type { Say } from '../../render/work.ts';
import type { Terminal } from '../../terminal.ts';
import { requireClusterTarget, writeClusterTarget } from './cluster-target.ts';
import { openKubectl } from './open-kubectl.ts';
import { readPods } from './pod-states.ts';
import { readRoleSets, scaleSet } from './role-sets.ts';

const POLL_MS = 500;

export interface StopPods {
  readonly timeoutMs: number;
  readonly say: Say;
  readonly terminal: Terminal;
}

/**
 * Takes the pods of a release away, those that others ask last. How many there were is noted first: `up` brings back as many.
 *
 * @throws NectarError CLUSTER_REFUSED when pods are still there after the time
 */
export async function stopPods(home: string, { timeoutMs, say, terminal }: StopPods): Promise<{ wasRunning: boolean }> {
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  const sets = await readRoleSets(kubectl, target);
  const running = sets.filter(({ wanted }) => wanted > 0);
  if (running.length > 0) {
    const replicas = Object.fromEntries(running.map(({ role, wanted }) => [role, wanted]));
    await writeClusterTarget(home, { ...target, replicas: { ...target.replicas, ...replicas } });
  }
  const until = terminal.now() + timeoutMs;
  for (const set of running) {
    say(`stopping ${set.role}`);
    await scaleSet(kubectl, set, 0);
    for (;;) {
      const left = (await readPods(kubectl, target)).filter(({ role }) => role === set.role);
      if (left.length === 0) break;
      if (terminal.now() >= until) {
        const reason = `the pods ${left.map(({ pod }) => pod).join(', ')} are still there`;
        throw new NectarError('CLUSTER_REFUSED', { doing: 'stopping the pods', reason });
      }
      await sleep(POLL_MS, undefined, { signal: terminal.signal });
    }
  }
  return { wasRunning: running.length > 0 };
}
