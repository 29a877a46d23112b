import { type Command, Option } from 'commander';
import { canProveSteps } from '../../appliance/rollup/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { parseCount } from '../option-parsers.ts';
import { renderTable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import { type SimulatedDispute, simulateDispute } from '../simulate/simulate-dispute.ts';
import { VERIFIER_KINDS, type VerifierKind } from '../simulate/step-verifiers.ts';
import type { Terminal } from '../terminal.ts';

interface SimulateOptions {
  readonly silent?: boolean;
  readonly verifier?: VerifierKind;
  readonly transfers: number;
}

const TRANSFERS = 3;
const MAX_TRANSFERS = 500;
/** For each transfer: in the middle of the block's derivation. */
const LIE_EVERY = 300_001n;
const ROUNDS = 12;
const VERIFIED_BY = {
  open: 'the deciding step was executed on L1',
  zk: 'the deciding step was proved',
  both: 'the deciding step was proved and executed on L1',
};

/** `dispute simulate`. */
export function registerDisputeSimulate(group: Command, terminal: Terminal): void {
  addVerb(group, 'simulate', {
    summary: 'play a whole dispute against a lying twin on a development L1, and show what L1 saw',
    about:
      "Starts an L1 of its own with the network's contracts, has two validators contradict each other about a block, plays to the end by the real machine, and removes all of it. The step that decides is shown to the verifier that executes it in Solidity, to the one that takes a zk proof (by a string made for this run), or to both: by default both where the prover is installed (bb of @aztec/bb.js 5.0.0), otherwise the first. No node is asked. It takes a minute or two.",
    examples: [
      'dispute simulate',
      'dispute simulate --silent',
      'dispute simulate --verifier open',
      'dispute simulate --json | jq .gas',
    ],
  })
    .addOption(new Option('--silent', 'the liar does not talk off chain: every round goes to L1'))
    .addOption(new Option('--verifier <kind>', 'by which the deciding step is judged').choices([...VERIFIER_KINDS]))
    .addOption(
      new Option('--transfers <n>', `in the block that they contradict each other about, up to ${MAX_TRANSFERS}`)
        .argParser(parseTransfers)
        .default(TRANSFERS),
    )
    .action(action(terminal, simulate));
}

function parseTransfers(text: string): number {
  const count = parseCount(text);
  if (count > MAX_TRANSFERS)
    throw new NectarError('CLI_USAGE', { problem: `${text} transfers are more than ${MAX_TRANSFERS}` });
  return count;
}

async function simulate({ options, output, terminal }: Call<SimulateOptions>): Promise<void> {
  const { transfers } = options;
  const silent = options.silent === true;
  const verifier = options.verifier ?? (canProveSteps() ? 'both' : 'open');
  const flavour = silent ? 'silent' : 'talking';
  // A challenge that is closed has no round any more: what was reached stays shown.
  let reached = 0;
  const seen = await showWork(terminal, output, `a dispute with a ${flavour} liar`, (say) =>
    simulateDispute(
      { silent, verifier, transfers, lieAt: LIE_EVERY * BigInt(transfers) },
      {
        onRound(round) {
          reached = Math.max(reached, round);
          say(`a dispute with a ${flavour} liar ${bar(reached)}`);
        },
        onProving: () => say(`a dispute with a ${flavour} liar ${bar(reached)}: proving`),
        signal: terminal.signal,
      },
    ),
  );
  output.result({ flavour, verifier, ...seen }, () => render(seen, verifier));
}

function bar(round: number): string {
  return `[${'='.repeat(round)}${' '.repeat(Math.max(0, ROUNDS - round))}] round ${round} of ${ROUNDS}`;
}

function render(
  { transactions, l1Transactions, gas, bytes, seconds, winner }: SimulatedDispute,
  verifier: VerifierKind,
): string {
  const right = (title: string) => ({ title, alignRight: true });
  const rows = transactions.flatMap((one, at) => [
    [String(at + 1), one.by, one.call, one.gas.toLocaleString('en'), one.bytes.toLocaleString('en')],
    ...(one.verifiers ?? []).map((share) => [
      '',
      '',
      share.kind === 'zk' ? '  of it the zk proof' : '  of it the step, executed',
      share.gas.toLocaleString('en'),
      share.proofBytes.toLocaleString('en'),
    ]),
  ]);
  const all = ['', 'all', '', gas.toLocaleString('en'), bytes.toLocaleString('en')];
  const table = renderTable(
    [right('#'), { title: 'by' }, { title: 'call' }, right('gas'), right('bytes')],
    [...rows, all],
  );
  const count = `${l1Transactions} ${l1Transactions === 1 ? 'transaction' : 'transactions'}`;
  return `${table}\n\n${winner === 'honest' ? 'the honest side' : 'the liar'} wins: ${count} on L1 in ${seconds} s (${VERIFIED_BY[verifier]})`;
}
