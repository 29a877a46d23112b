import type { Hex } from '../../../protocol/brand.ts';
import { type GlobalState, globalStateHash } from '../../../protocol/dispute/global-state.ts';
import { FLAG_OK, type OpenedState, stateHash } from '../../../protocol/dispute/machine-state.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { createLogger } from '../../telemetry/index.ts';
import { createL1Accounts } from '../account/l1-accounts.ts';
import { createDisputeMachine } from '../challenge/dispute-machine.ts';
import type { AskChallenge } from '../challenge/peer-reach.ts';
import { findDisputeFiles } from '../challenge/tracer-thread.ts';
import type { OpenRun } from '../challenge/truth.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { createOwnChallenges, type OwnChallenges } from '../own-challenges.ts';
import { createStepProofs } from '../prove/step-proofs.ts';
import type { StepProver } from '../prove/step-prover.ts';
import type { Assertion } from '../validator/assertion.ts';
import { createRollupCalls } from '../validator/rollup-calls.ts';
import type { SimulatedTruth } from './simulated-chain.ts';

/** A stake, and the assertion that it is on. */
export interface SimulatedStake {
  readonly key: Uint8Array;
  readonly stakeId: bigint;
  readonly nodeId: Hex;
  readonly state: GlobalState;
}

export interface SimulatedPartyOptions {
  readonly l1: {
    readonly chainId: bigint;
    readonly rollup: Hex;
    readonly sequencerInbox: Hex;
    readonly genesisNode: Hex;
    readonly rpc: JsonRpc;
  };
  readonly truth: SimulatedTruth;
  readonly own: SimulatedStake;
  readonly other: SimulatedStake;
  /** The first step of the machine after which this party lies; undefined: never. */
  readonly lieAt: bigint | undefined;
  readonly folder: string;
  /** Undefined: the verifier wants no zk proof. */
  readonly prover: StepProver | undefined;
  readonly onProving: () => void;
  readonly ask: AskChallenge;
  readonly now: () => number;
}

export interface SimulatedParty extends OwnChallenges {
  close(): Promise<void>;
}

/** Where a lying party says that it lies, to itself: no state of any machine. */
const FALSE_CORE = 7n;
const MAX_FEE_PER_GAS_WEI = 500_000_000_000n;
const RPC = { pollMs: 1, resubmitMs: 60_000 };

/** A validator as a node wires it, whose chain is the simulated one: it plays by the real machine, and lies in one place at most. */
export function createSimulatedParty(options: SimulatedPartyOptions): SimulatedParty {
  const { l1, truth, own, other, lieAt, folder, prover, onProving, ask, now } = options;
  const files = findDisputeFiles();
  if (files === undefined) throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'machine to trace a block with' });
  const machine = createDisputeMachine(
    { config: truth.config, files, database: undefined },
    {
      answersOf: async () => truth.answers,
      proofs: createStepProofs({
        rpc: l1.rpc,
        openProver: async () => {
          if (prover === undefined) throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'prover' });
          return prover;
        },
        onProving,
      }),
      proveElement: async () => {
        throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'blob: the batch is in calldata' });
      },
    },
  );
  const openRun = lieAt === undefined ? machine.openRun : lyingRun(machine.openRun, { lieAt, state: own.state });
  const { rollup, sequencerInbox, chainId, rpc } = l1;
  const challenges = createOwnChallenges(
    { rollup, sequencerInbox, chainId, firstL1Block: 0n, key: own.key, folder, evidenceFolder: folder, ...RPC },
    {
      l1Rpc: rpc,
      sender: createL1Accounts({ chainId }, { rpc, now }).sender({
        key: own.key,
        maxFeePerGasWei: MAX_FEE_PER_GAS_WEI,
      }),
      calls: createRollupCalls({ rollup, firstL1Block: 0n }, rpc),
      derive: async ({ batch, offset }) => {
        const { blockHash, sendRoot } = batch === 0n && offset === 0n ? truth.genesis : own.state;
        return { block: batch + offset, blockHash, sendRoot, batch, offset };
      },
      book: () => bookOf(l1.genesisNode, truth.genesis, [own, other]),
      verdictOf: (nodeId) => (nodeId === own.nodeId ? { kind: 'right', block: 1n } : undefined),
      machine: { ...machine, openRun },
      ask,
      record: undefined,
      log: createLogger({ level: 'silent' }),
      now,
    },
  );
  return { ...challenges, close: machine.close };
}

function bookOf(genesisNode: Hex, genesis: GlobalState, stakes: readonly SimulatedStake[]) {
  const root: Assertion = {
    nodeId: genesisNode,
    parent: `0x${'00'.repeat(32)}`,
    state: genesis,
    target: 1n,
    stakeId: 0n,
    l1Number: 0n,
    status: 'confirmed',
  };
  const children = stakes.map(({ nodeId, stakeId, state }): Assertion => {
    return { nodeId, parent: genesisNode, state, target: 2n, stakeId, l1Number: 1n, status: 'live' };
  });
  return { assertions: new Map([root, ...children].map((one) => [one.nodeId, one])), latestConfirmed: genesisNode };
}

/** The truth up to a step, and from there on a state that ends in what the liar asserted. */
function lyingRun(open: OpenRun, { lieAt, state }: { readonly lieAt: bigint; readonly state: GlobalState }): OpenRun {
  return async (iteration) => {
    const run = await open(iteration);
    const output = hexToBytes(globalStateHash(state));
    const lie: OpenedState = { core: FALSE_CORE, input: hexToBytes(iteration.input), output, flag: FLAG_OK };
    return {
      ...run,
      tracePoints: async (from, width) =>
        (await run.tracePoints(from, width)).map((point, at) =>
          from + width * BigInt(at + 1) >= lieAt ? stateHash(lie) : point,
        ),
      openAt: async (step) => (step >= lieAt ? lie : run.openAt(step)),
    };
  };
}
