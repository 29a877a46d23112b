import { type Command, Option } from 'commander';
import { OnRecord } from '../../appliance/gateway/hardening-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { KeptWaiver } from '../harden/waivers.ts';
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
      'A waived check still shows in every report, with who answers for it. It counts again after its last day, at most a year away. The node must run: waiving and taking back are in its audit log.',
    examples: [
      'harden waive BYON-HST-004 --owner it@clinic.example --reason "new server in January" --until 2027-01-31',
      'harden waive --list',
      'harden waive BYON-HST-004 --remove',
    ],
  })
    .addOption(new Option('--owner <name>', 'who answers for it'))
    .addOption(new Option('--reason <text>', 'why it can be lived with'))
    .addOption(new Option('--until <day>', 'its last day, YYYY-MM-DD'))
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

async function list({ home, output, terminal }: Call<WaiveOptions>): Promise<void> {
  const { readWaivers } = await import('../harden/waivers.ts');
  const waivers = await readWaivers(home);
  const today = new Date(terminal.now()).toISOString().slice(0, 10);
  output.result({ waivers }, () =>
    waivers.length === 0
      ? 'nothing is waived'
      : renderTable(
          [{ title: 'CHECK' }, { title: 'UNTIL' }, { title: 'OWNER' }, { title: 'REASON' }],
          waivers.map(({ check, until, owner, reason }) => [
            check,
            until < today ? `${until} (over)` : until,
            printable(owner),
            printable(reason),
          ]),
        ),
  );
}

async function make(call: Call<WaiveOptions>, id: string): Promise<void> {
  const { home, options, output, terminal } = call;
  const { owner, reason, until } = options;
  if (owner === undefined || reason === undefined || until === undefined) {
    throw new NectarError('CLI_USAGE', { problem: 'a waiver needs --owner, --reason and --until' });
  }
  const { getCheck, loadBenchmark } = await import('../../hardening/load-benchmark.ts');
  const { keepWaiver, parseWaiver, readWaivers } = await import('../harden/waivers.ts');
  const { title } = getCheck(loadBenchmark(), id);
  const waiver = parseWaiver({ check: id, owner, reason, until }, terminal.now());
  // What is kept can be read before the log is asked: a damaged file leaves no entry behind.
  await readWaivers(home);
  const kept: KeptWaiver = { ...waiver, auditLeaf: await putOnRecord(call, 'made', waiver) };
  await keepWaiver(home, kept);
  output.result(kept, `${id} (${title}) is waived until ${until}; leaf ${kept.auditLeaf} of the audit log`);
}

async function remove(call: Call<WaiveOptions>, id: string): Promise<void> {
  const { home, output } = call;
  const { dropWaiver, getWaiver } = await import('../harden/waivers.ts');
  const waiver = await getWaiver(home, id);
  const auditLeaf = await putOnRecord(call, 'removed', waiver);
  await dropWaiver(home, id);
  output.result({ check: id, removed: true, auditLeaf }, `${id} counts again; leaf ${auditLeaf} of the audit log`);
}

async function putOnRecord(
  call: Call<WaiveOptions>,
  change: 'made' | 'removed',
  { check, owner, reason, until }: Pick<KeptWaiver, 'check' | 'owner' | 'reason' | 'until'>,
): Promise<number> {
  return withNode(call, async (client) => {
    const note = { change, check, owner, reason, until };
    const { auditLeaf } = await client.json(OnRecord, 'POST', '/v1/hardening/waivers', note);
    return auditLeaf;
  });
}
