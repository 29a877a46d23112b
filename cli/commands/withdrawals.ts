import { type Command, Option } from 'commander';
import { formatEther, isAddress, parseEther } from 'ethers';
import { WithdrawalClaimed, WithdrawalList, WithdrawalSent } from '../../appliance/gateway/withdrawal-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

/** `chain withdraw`, `chain withdrawals`, `chain claim`. */
export function registerWithdrawals(group: Command, terminal: Terminal): void {
  addVerb(group, 'withdraw', {
    summary: "send ETH of the operator's account from L2 to an account on L1",
    about:
      'It takes the challenge period of the network until L1 pays: `chain withdrawals` shows how far it is, `chain claim` takes it then. What was sent cannot be called back.',
    examples: [
      'chain withdraw --amount 1.5 --to 0x3f5C...09aE',
      'chain withdraw --amount 0.1 --to 0x3f5C...09aE --yes --json',
    ],
  })
    .addOption(new Option('--amount <ether>', 'amount of ether').makeOptionMandatory())
    .addOption(new Option('--to <address>', 'the account on L1').makeOptionMandatory())
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, withdraw));
  addVerb(group, 'withdrawals', {
    summary: 'list the withdrawals and how far each is',
    about:
      'sent: the sequencer has it; ordered: in an L2 block; batched: L1 has the block; asserted: an assertion on L1 holds it and waits for its period; claimable: confirmed; claimed: paid.',
    examples: [
      'chain withdrawals',
      'chain withdrawals --json | jq ".withdrawals[] | select(.state == \\"claimable\\")"',
    ],
  }).action(action(terminal, list));
  addVerb(group, 'claim <id>', {
    summary: "take a withdrawal on L1; the operator's account there pays the gas",
    examples: ['chain claim 4'],
  }).action(action(terminal, claim));
}

async function withdraw(call: Call<{ amount: string; to: string; yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  const { to } = options;
  const amountWei = parseAmount(options.amount);
  if (!isAddress(to)) throw new NectarError('CLI_USAGE', { problem: `${to} is no address of an Ethereum account` });
  await confirmAction(terminal, {
    action: 'withdrawing',
    message: `Send ${formatEther(amountWei)} ETH to ${to} on L1?`,
    yes: options.yes === true,
  });
  await withNode(call, async (client) => {
    const body = { to, amountWei: amountWei.toString() };
    const sent = await client.json(WithdrawalSent, 'POST', '/v1/chain/withdrawals', body);
    output.result(sent, `sent in transaction ${sent.transaction}; next: nectar-byon chain withdrawals`);
  });
}

function parseAmount(text: string): bigint {
  // ethers takes signs, exponents and blanks in places.
  const wei = /^\d{1,60}(\.\d{1,18})?$/.test(text) ? parseEther(text) : 0n;
  if (wei <= 0n) throw new NectarError('CLI_USAGE', { problem: `${text} is no amount of ether above 0` });
  return wei;
}

async function list(call: Call<object>): Promise<void> {
  const { output } = call;
  await withNode(call, async (client) => {
    const found = await client.json(WithdrawalList, 'GET', '/v1/chain/withdrawals');
    output.result(found, () => {
      if (found.withdrawals.length === 0) return 'no withdrawals';
      const rows = found.withdrawals.map(({ id, state, amountWei, to, block, claimableAt }) => [
        id === null ? '-' : String(id),
        state + (claimableAt === null ? '' : `, claimable at ${claimableAt}`),
        `${formatEther(amountWei)} ETH`,
        to,
        block === null ? '-' : String(block),
      ]);
      return renderTable(
        ['id', 'state', 'amount', 'to', 'L2 block'].map((title) => ({ title })),
        rows,
      );
    });
  });
}

async function claim(call: Call<object>): Promise<void> {
  const { operands, output } = call;
  const [text = ''] = operands;
  if (!/^(0|[1-9]\d{0,9})$/.test(text))
    throw new NectarError('CLI_USAGE', { problem: `${text} is no withdrawal's number` });
  await withNode(call, async (client) => {
    const claimed = await client.json(WithdrawalClaimed, 'POST', `/v1/chain/withdrawals/${text}/claim`);
    output.result(claimed, `withdrawal ${claimed.id} is paid on L1`);
  });
}
