import type { Command } from 'commander';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { leftOnClock } from '../render/assertions.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { registerDisputeSimulate } from './dispute-simulate.ts';

type Challenge = NonNullable<NonNullable<NodeStatus['assertions']>['challenges']>[number];

const ID_SHOWN = 12;

/** `dispute list`, `dispute show`, `dispute simulate`. */
export function registerDispute(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'dispute', "the challenges of this node's stake on L1");
  addVerb(group, 'list', {
    summary: 'list the challenges and whose turn each is',
    about: 'A node that only watches has none. The most urgent come first.',
    examples: ['dispute list', 'dispute list --json | jq ".challenges[] | select(.urgent)"'],
  }).action(action(terminal, list));
  addVerb(group, 'show <id>', {
    summary: 'show one challenge; the first digits of its id are enough',
    examples: ['dispute show 0x5e91'],
  }).action(action(terminal, show));
  registerDisputeSimulate(group, terminal);
}

async function challengesOf(call: Call<object>): Promise<Challenge[]> {
  let found: Challenge[] = [];
  await withNode(call, async (client) => {
    const { assertions } = await client.json(NodeStatus, 'GET', '/v1/node');
    found = assertions?.challenges ?? [];
  });
  return found;
}

async function list(call: Call<object>): Promise<void> {
  const challenges = await challengesOf(call);
  call.output.result({ challenges }, () => {
    if (challenges.length === 0) return 'no challenges';
    const rows = challenges.map((one) => [
      one.id.slice(0, ID_SHOWN),
      one.side,
      one.onL1 === 'open' ? `round ${one.round}` : one.onL1,
      turnOf(one),
      one.next,
      printable(one.waiting ?? ''),
    ]);
    return renderTable(
      ['id', 'side', 'L1', 'turn', 'next', 'waiting'].map((title) => ({ title })),
      rows,
    );
  });
}

async function show(call: Call<object>): Promise<void> {
  const [id = ''] = call.operands;
  const challenges = await challengesOf(call);
  const [found, another] = challenges.filter((one) => one.id.startsWith(id.toLowerCase()));
  if (found === undefined) throw new NectarError('DISPUTE_UNKNOWN', { id });
  if (another !== undefined)
    throw new NectarError('CLI_USAGE', { problem: `more than one challenge begins with ${id}` });
  call.output.result(found, () =>
    [
      ['challenge', found.id],
      ['this node', found.side],
      ['opponent', printable(found.opponent)],
      ['on L1', found.onL1 === 'open' ? `round ${found.round}, ${turnOf(found)}` : found.onL1],
      ['off chain', found.heardRound === 0 ? 'nothing heard' : `round ${found.heardRound} heard`],
      ['next', found.next + (found.waiting === undefined ? '' : ` (${printable(found.waiting)})`)],
    ]
      .map(([name = '', value]) => `${name.padEnd(10)} ${value}`)
      .join('\n'),
  );
}

function turnOf({ turn, leftSeconds }: Challenge): string {
  if (turn === null || leftSeconds === null) return '-';
  return `${turn === 'own' ? 'this node' : 'opponent'}, ${leftOnClock(leftSeconds)}`;
}
