import type { Output } from '../../render/output.ts';
import { printable, renderTable } from '../../render/table.ts';
import type { PodState } from './pod-states.ts';

/** The pods of a node, for people. */
export function renderPods(pods: readonly PodState[], { style }: Pick<Output, 'style'>): string {
  if (pods.length === 0) return 'no pods: nectar-byon up';
  const rows = pods.map(({ role, pod, phase, ready, restarts, machine, reason }) => [
    role,
    printable(pod),
    ready ? style('green', 'ready') : style('yellow', phase.toLowerCase()),
    String(restarts),
    printable(machine) || '-',
    reason === undefined ? '' : printable(reason),
  ]);
  const titles = ['ROLE', 'POD', 'STATE', 'RESTARTS', 'MACHINE', 'REASON'];
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
  );
}
