import type { Command } from 'commander';
import { ScrubReport } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { toJson } from '../render/output.ts';
import { printable, renderFacts } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

export function registerScrub(program: Command, terminal: Terminal): void {
  addVerb(program, 'scrub', {
    summary: 're-read and authenticate every stored byte, and report',
    about: 'A damaged block is fetched again from a replica where one exists.',
    examples: ['scrub', 'scrub --json'],
  }).action(action(terminal, scrub));
}

async function scrub(call: Call<object>): Promise<void> {
  const { terminal, output } = call;
  await withNode(call, async (client) => {
    const report = await showWork(terminal, output, 'reading every record', () =>
      client.json(ScrubReport, 'POST', '/v1/scrub'),
    );
    const { recordScrub } = await import('../life/last-scrub.ts');
    await recordScrub(call.home, { at: new Date(terminal.now()).toISOString() });
    output.result(report, () =>
      renderFacts(Object.entries(report).map(([name, value]): [string, string] => [name, printable(toJson(value))])),
    );
  });
}
