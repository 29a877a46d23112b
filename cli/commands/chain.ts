import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ChainRewound } from '../../appliance/gateway/node-schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { parseBlockNumber } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { outputFilePlace } from '../output-place.ts';
import { confirmAction } from '../prompt.ts';
import { formatBytes } from '../render/quantities.ts';
import { showWork } from '../render/work.ts';
import { readSnapshotManifest } from '../snapshot-file.ts';
import type { Terminal } from '../terminal.ts';
import { registerBatches } from './batches.ts';
import { registerWithdrawals } from './withdrawals.ts';

export function registerChain(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'chain', 'the L2 chain as this node has it');
  addVerb(group, 'rewind', {
    summary: 'give up L2 blocks that L1 has not confirmed',
    about:
      'For an unsafe chain that misleads: blocks that the sequencer signed and that no batch on L1 holds. What L1 has is not touched. The node goes on from there with what L1 and the sequencer say, and judges every block anew.',
    examples: ['chain rewind', 'chain rewind --to 1200 --yes'],
  })
    .addOption(new Option('--to <block>', 'the block to keep as the newest; default: the newest that L1 has'))
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rewind));
  addVerb(group, 'rebuild', {
    summary: 'have the node derive the chain again from L1',
    about:
      'For a chain database that another version wrote, or that is damaged (ROLLUP_DATABASE_FORMAT, ROLLUP_DATABASE_INVALID). The node must be down. The database is put aside, not removed: what it kept of old batches may be gone from L1. The next `up` derives the chain; records, audit log and keys are not touched. Transactions of this node that L1 had not confirmed are no longer watched.',
    examples: ['chain rebuild', 'chain rebuild --yes --json | jq -r .aside'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rebuild));
  addVerb(group, 'snapshot <file>', {
    summary: 'write the state of L2 to a file, for a node that begins',
    about:
      'The state at the latest assertion that L1 has confirmed. A node that `init --snapshot FILE` makes goes on from there instead of deriving everything from the first block on; it believes nothing of the file that its own L1 or a hash does not say. Public data alone: no record, no key.',
    examples: ['chain snapshot nectar.snapshot', 'init --snapshot nectar.snapshot'],
  })
    .addOption(new Option('-f, --force', 'replace the file'))
    .action(action(terminal, snapshot));
  registerBatches(group, terminal);
  registerWithdrawals(group, terminal);
}

async function rebuild({ home, options, terminal, output }: Call<{ yes?: boolean }>): Promise<void> {
  requireHome(home);
  await confirmAction(terminal, {
    action: 'deriving the chain again',
    message: 'Put the chain database aside? The next start derives the whole chain from L1, which takes its time.',
    yes: options.yes === true,
  });
  const { setChainAside } = await import('../life/rebuild-chain.ts');
  const done = await setChainAside(home, terminal);
  output.result({ home, ...done }, () =>
    done.aside === null
      ? 'there is no chain database: the next `nectar-byon up` derives the chain'
      : `put aside: ${done.aside}\nnext: nectar-byon up; once the node is ready that folder can be removed`,
  );
}

async function rewind(call: Call<{ to?: string; yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  const to = options.to === undefined ? undefined : parseBlockNumber(options.to);
  await confirmAction(terminal, {
    action: 'giving up unconfirmed blocks',
    message: `Give up the L2 blocks above ${to ?? 'the newest that L1 has'}?`,
    yes: options.yes === true,
  });
  await withNode(call, async (client) => {
    const body = to === undefined ? {} : { to };
    const rewound = await client.json(ChainRewound, 'POST', '/v1/chain/rewind', body);
    const count = rewound.from - rewound.to;
    output.result(rewound, () =>
      count === 0
        ? `nothing to give up: block ${rewound.to} is the newest`
        : `${count} blocks given up; block ${rewound.to} is the newest now`,
    );
  });
}

async function snapshot(call: Call<{ force?: boolean }>): Promise<void> {
  const { options, operands, terminal, output } = call;
  const force = options.force === true;
  const path = await outputFilePlace(resolve(terminal.workingFolder, operands[0] ?? ''), force);
  const bytes = await showWork(terminal, output, 'reading the state', (say) =>
    withNode(call, async (client) => {
      const answer = await client.open('/v1/chain/snapshot');
      let taken = 0;
      const count = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of answer.body) {
          taken += chunk.length;
          say(`${formatBytes(taken)} read`);
          yield chunk;
        }
      };
      return writeOutputFile(path, count(), force);
    }),
  );
  const { block, l1Number, nodeId } = await readSnapshotManifest(path);
  output.result(
    { output: path, bytes, block, l1Block: l1Number, assertion: nodeId },
    () => `block ${block}, as L1 has confirmed it: ${formatBytes(bytes)}, written to ${path}`,
  );
}
