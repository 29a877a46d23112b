import { type Command, Option } from 'commander';
import { ChainRewound } from '../../appliance/gateway/node-schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { parseBlockNumber } from '../option-parsers.ts';
import { confirmAction } from '../prompt.ts';
import type { Terminal } from '../terminal.ts';
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
  registerWithdrawals(group, terminal);
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
