import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

interface WaiveOptions {
  readonly owner?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly list?: boolean;
  readonly remove?: boolean;
}

export function registerHardenWaive(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'waive [id]', {
    summary: 'live with a failing check for a time: with a name under it, a reason and an end',
    about:
      'Only what a report on record says to fail can be waived. A waived check still shows in every report, with who answers for it. It counts again after its last day, at most a year away, and once a report finds that it holds. The node must run: its audit log says what is waived, and no file does.',
    examples: [
      'harden waive BYON-HST-004 --owner it@clinic.example --reason "new server in January" --until 2027-01-31',
      'harden waive --list',
      'harden waive BYON-HST-004 --remove',
    ],
  })
    .addOption(new Option('--owner <name>', 'who answers for the waiver'))
    .addOption(new Option('--reason <text>', 'why the failure is acceptable'))
    .addOption(new Option('--until <day>', 'last day of the waiver, YYYY-MM-DD'))
    .addOption(new Option('--list', 'show the waivers'))
    .addOption(new Option('--remove', 'take the waiver of this check back'))
    .action(action(terminal, waive));
}

async function waive(call: Call<WaiveOptions>): Promise<void> {
  const { home, options, operands } = call;
  requireHome(home);
  if (options.list === true) return list(call);
  const [id] = operands;
  if (id === undefined) throw new NectarError('CLI_USAGE', { problem: 'name a check, or give --list' });
  return options.remove === true ? remove(call, id) : make(call, id);
}

async function list(call: Call<WaiveOptions>): Promise<void> {
  const { output, terminal } = call;
  const { listWaivers } = await import('../harden/waivers.ts');
  const waivers = await withNode(call, (client) => listWaivers(client));
  const today = new Date(terminal.now()).toISOString().slice(0, 10);
  output.result({ waivers }, () =>
    waivers.length === 0
      ? 'nothing is waived'
      : renderTable(
          [{ title: 'CHECK' }, { title: 'UNTIL' }, { title: 'LEAF' }, { title: 'OWNER' }, { title: 'REASON' }],
          waivers.map(({ check, until, owner, reason, auditLeaf }) => [
            check,
            until < today ? `${until} (over)` : until,
            String(auditLeaf),
            printable(owner),
            printable(reason),
          ]),
        ),
  );
}

async function make(call: Call<WaiveOptions>, id: string): Promise<void> {
  const { options, output } = call;
  const { owner, reason, until } = options;
  if (owner === undefined || reason === undefined || until === undefined) {
    throw new NectarError('CLI_USAGE', { problem: 'a waiver needs --owner, --reason and --until' });
  }
  const { getCheck, loadBenchmark } = await import('../../hardening/load-benchmark.ts');
  const { parseWaiver, recordWaiver } = await import('../harden/waivers.ts');
  const { title } = getCheck(loadBenchmark(), id);
  const waiver = parseWaiver({ check: id, owner, reason, until });
  const auditLeaf = await withNode(call, (client) => recordWaiver(client, { change: 'made', ...waiver }));
  const kept = { ...waiver, auditLeaf };
  output.result(kept, `${id} (${title}) is waived until ${until}; leaf ${auditLeaf} of the audit log`);
}

async function remove(call: Call<WaiveOptions>, id: string): Promise<void> {
  const { output } = call;
  const { listWaivers, recordWaiver } = await import('../harden/waivers.ts');
  const auditLeaf = await withNode(call, async (client) => {
    const waiver = (await listWaivers(client)).find(({ check }) => check === id);
    if (waiver === undefined) throw new NectarError('HARDENING_WAIVER_UNKNOWN', { id });
    const { check, owner, reason, until } = waiver;
    return recordWaiver(client, { change: 'removed', check, owner, reason, until });
  });
  output.result({ check: id, removed: true, auditLeaf }, `${id} counts again; leaf ${auditLeaf} of the audit log`);
}
