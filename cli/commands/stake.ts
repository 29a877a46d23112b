import { type Command, Option } from 'commander';
import { StakeStatus } from '../../appliance/gateway/stake-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { describeStake, ether } from '../render/stake.ts';
import type { Terminal } from '../terminal.ts';

const PATH = '/v1/chain/stake';

/** `validator stake`, `validator unstake`. */
export function registerStake(group: Command, terminal: Terminal): void {
  addVerb(group, 'stake', {
    summary: 'have this node stake, after an unstake',
    about:
      'A node whose configuration has rollup.validator.enabled stakes by itself: this is needed after `validator unstake` alone. The account pays the stake and its gas on L1.',
    examples: ['validator stake', 'validator stake --yes --json | jq .state'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, (call: Call<{ yes?: boolean }>) => setStaking(call, true)));
  addVerb(group, 'unstake', {
    summary: 'take the stake back, and stake no more',
    about:
      'The node asserts nothing more. L1 gives the stake back once it has confirmed the assertion under it; until then the node must stay up, since it plays its challenges. `validator status` shows how far it is.',
    examples: ['validator unstake', 'validator unstake --yes --json | jq .returnableAt'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, (call: Call<{ yes?: boolean }>) => setStaking(call, false)));
}

async function setStaking(call: Call<{ yes?: boolean }>, wanted: boolean): Promise<void> {
  const { options, terminal, output } = call;
  await withNode(call, async (client) => {
    const before = await client.json(StakeStatus, 'GET', PATH);
    const facts = describeStake(before);
    await confirmAction(terminal, {
      action: wanted ? 'staking' : 'unstaking',
      message: `${facts}\n${wanted ? questionOfStake(before) : questionOfUnstake(before)}`,
      yes: options.yes === true,
    });
    const after = await client.json(StakeStatus, 'PUT', PATH, { wanted });
    output.result(after, () => `${describeStake(after)}\nnext: nectar-byon validator status`);
  });
}

function questionOfStake({ amountWei, requiredWei }: StakeStatus): string {
  return amountWei === null ? `Lock ${ether(requiredWei)} on L1?` : 'Keep the stake, and go on asserting?';
}

function questionOfUnstake({ amountWei, returnableAt }: StakeStatus): string {
  if (amountWei === null) return 'Stake no more?';
  const when = returnableAt === null ? 'now' : `not before ${returnableAt}`;
  return `Take ${ether(amountWei)} back (${when}), and stake no more?`;
}
