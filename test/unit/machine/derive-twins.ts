import assert from 'node:assert/strict';
import type { BlockHeader } from '@ethereumjs/block';
import { createDeriveStore, type L1Record } from '../../../appliance/rollup/derive/derive-store.ts';
import { type Derived, deriveL1Block } from '../../../appliance/rollup/derive/deriver.ts';
import type { AppendedSafe, BlockRef, DerivedRef, Engine } from '../../../appliance/rollup/derive/engine.ts';
import type { BatchInput, InboxInput } from '../../../appliance/rollup/derive/inbox-tracker.ts';
import { nativeCrypto } from '../../../appliance/rollup/execute/native-crypto.ts';
import type { DerivedInputs, DerivedStep, DerivePlace } from '../../../machine/host/derive.ts';
import type { GivenPreimages } from '../../../machine/host/given-preimages.ts';
import { createMachine, type Machine, type MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { BlockInput } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { DelayedMessage } from '../../../protocol/rollup/delayed-message.ts';
import type { ForkRules } from '../../../protocol/rollup/fork.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import { createRules, type Rules } from '../../../protocol/rollup/rules.ts';
import { planBatch, renderPlan } from '../../oracle/plan-batch.ts';
import { createMemoryState } from '../../oracle/state-by-hash.ts';
import { type TransitionResult, transition } from '../../oracle/transition.ts';
import { createInlineDeriver } from '../appliance/rollup/derive/inline-deriver.ts';
import { CHAIN_ID, GENESIS } from '../appliance/rollup/execute/chain-fixture.ts';
import { createL1History, type HistoryBlock, type L1History } from './l1-history.ts';
import { createMemoryPreimages, type MemoryPreimages, machineModule, putAll, putFresh } from './machine-fixture.ts';
import type { Dice } from './random-blocks.ts';
import { type Guess, nextDelivery } from './random-l1.ts';

export const CANCUN: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };
export const DEPLOYED_AT = 50_000n;
const ZERO: Hex = `0x${'00'.repeat(32)}`;

/** Execution by the TypeScript transition; every block becomes safe at once. */
function createOracle(genesis: Genesis, rules: Rules): Engine & { built(): TransitionResult[] } {
  const state = createMemoryState({ get: async (hash: Hex) => genesis.preimages.get(hash) });
  const chain: BlockHeader[] = [genesis.header];
  const results: TransitionResult[] = [];
  const records = new Map<string, Uint8Array>();
  const ref = (): BlockRef => {
    const header = chain.at(-1) as BlockHeader;
    return { number: header.number, hash: bytesToHex(header.hash()), timestamp: header.timestamp };
  };
  return {
    built: () => results.splice(0),
    heads: () => ({ unsafe: ref(), safe: ref(), finalized: ref() }),
    originOf: async () => undefined,
    hashOf: async (number) => chain[Number(number)] && bytesToHex((chain[Number(number)] as BlockHeader).hash()),
    header: async (hash) => (chain.find((header) => bytesToHex(header.hash()) === hash) ?? assert.fail()).serialize(),
    async appendSafe(input: BlockInput): Promise<AppendedSafe> {
      const result = await transition(chain.at(-1) as BlockHeader, input, { state, rules });
      chain.push(result.header);
      results.push(result);
      return { ref: ref(), replaced: false, dropped: result.dropped };
    },
    setHeads: async () => assert.fail('the safe head is where the cursor is'),
    rewind: async () => assert.fail('there are no unsafe blocks'),
    record: async (name) => records.get(name),
    async putRecords(entries) {
      for (const [name, value] of entries) if (value !== undefined) records.set(name, value);
    },
  };
}

/** A batch's start, and all that the machine made of it. */
export interface DerivedBatch {
  readonly accumulator: Hex;
  readonly head: Hex;
  readonly steps: readonly DerivedStep[];
}

/**
 * One chain derived three times: by the node, from what its records hold, executed in TypeScript; by the machine, from hashes; and
 * by the rules in TypeScript. Whatever differs fails the test.
 */
export interface DeriveTwins {
  readonly history: L1History;
  readonly preimages: MemoryPreimages;
  readonly machine: Machine;
  record(): L1Record;
  step(
    block: HistoryBlock,
    events: readonly InboxInput[],
  ): Promise<{ derived: Derived; results: readonly TransitionResult[]; batches: readonly DerivedBatch[] }>;
}

/** What the node calls dropped, out of the machine's steps. */
function droppedOf(steps: readonly DerivedStep[], sequenceNumber: bigint, firstBlock: bigint) {
  let block = firstBlock;
  return steps.flatMap((step) => {
    const what: { what: string; sequenceNumber: bigint; block: bigint; reason: string }[] = [];
    const say = (kind: string, at: bigint, reason: string): void => {
      what.push({ what: kind, sequenceNumber, block: at, reason });
    };
    if (step.isMalformed) say('batch', block, 'malformed');
    const { broken } = step;
    // A block breaks its rule on the head before it: that of the step, or the one that the step made.
    const after = step.block === undefined || step.block.isObliged ? block : block + 1n;
    const sayBroken = (): void => {
      if (broken === undefined) return;
      const { index, count, rule } = broken;
      say('blocks', after, `block ${index + 1} of ${count} of the batch breaks the rule on ${rule}`);
    };
    if (after === block) sayBroken();
    for (const { index, obstacle } of step.block?.dropped ?? [])
      say(index < (step.block?.forced ?? 0) ? 'message' : 'transaction', block, obstacle);
    for (const { index, reason } of step.block?.ignored ?? []) say('message', block, `message ${index}: ${reason}`);
    if (after !== block) sayBroken();
    if (step.block !== undefined) block += 1n;
    return what;
  });
}

export function createDeriveTwins(genesis: Genesis, network: ForkRules = CANCUN): DeriveTwins {
  const preimages = createMemoryPreimages();
  putAll(preimages, genesis.preimages);
  const machine = createMachine(machineModule, { chainId: CHAIN_ID, ...network }, preimages);
  const history = createL1History({ number: DEPLOYED_AT, timestamp: GENESIS.timestamp }, preimages.put);
  const oracle = createOracle(genesis, createRules(CHAIN_ID, nativeCrypto, network));
  const start = history.tip();
  const safe = { ...oracle.heads().safe, originNumber: start.number, messagesRead: 0n };
  const counts = { batchCount: 0n, batchAcc: ZERO, messageCount: 0n, messagesAllowed: 0n };
  let record: L1Record = { ...start, ...counts, safe };
  const first = record;
  const store = createDeriveStore(oracle, record);
  const inline = createInlineDeriver();
  const asked: { readonly accumulator: Hex; readonly inputs: DerivedInputs }[] = [];
  const messages: DelayedMessage[] = [];

  /** As the node asks, and from hashes: the same. Now and then the thread has forgotten the batch. */
  async function deriveInputs(place: DerivePlace, given: GivenPreimages): Promise<DerivedInputs> {
    if (asked.length % 3 === 2) inline.forget();
    const inputs = await inline.deriveInputs(place, given);
    preimages.put('header', place.head, await oracle.header(place.head));
    assert.deepEqual(inputs, machine.deriveInputs(place), 'what the records hold is what the hashes say');
    asked.push({ accumulator: place.accumulator, inputs });
    return inputs;
  }

  /** What the node was told of a batch, and what TypeScript says of it. */
  function comparePlan(batch: BatchInput, before: L1Record, head: DerivedRef): DerivedRef {
    const told = asked.filter(({ accumulator }) => accumulator === batch.afterAcc).map(({ inputs }) => inputs);
    const all = {
      isMalformed: told.some(({ isMalformed }) => isMalformed),
      broken: told.find(({ broken }) => broken)?.broken,
      lost: told.flatMap(({ lost }) => lost),
      blocks: told.flatMap(({ blocks }) => blocks),
    };
    const originAt = (number: bigint) => history.blocks[Number(number - DEPLOYED_AT)];
    const { gasLimit, feeRecipient } = GENESIS;
    const { content, delayedCount } = batch;
    const expected = planBatch({ before, originAt, messages, gasLimit, feeRecipient }, { content, delayedCount }, head);
    assert.deepEqual(renderPlan(all), renderPlan(expected), 'inputs of the blocks');
    const read = all.blocks.reduce((sum, { input }) => sum + input.delayedMessages, 0);
    const last = all.blocks.at(-1)?.input;
    if (last === undefined) return head;
    const messagesRead = head.messagesRead + BigInt(read);
    return { ...head, timestamp: last.timestamp, originNumber: last.l1Origin.number, messagesRead };
  }

  const deps = { store, engine: oracle, genesis: first, deriveInputs };

  function derive(accumulator: Hex, head: Hex): DerivedBatch {
    const steps: DerivedStep[] = [];
    for (const step of machine.deriveBatch({ deployedAt: DEPLOYED_AT, accumulator, head })) {
      putFresh(preimages, step);
      steps.push(step);
    }
    return { accumulator, head, steps };
  }

  return {
    history,
    preimages,
    machine,
    record: () => record,
    async step(block, events) {
      asked.length = 0;
      for (const event of events) if (event.kind === 'message') messages.push({ ...event, kind: event.messageKind });
      const derived = await deriveL1Block(deps, record, block, events);
      const results = oracle.built();
      let on = record.safe;
      for (const event of events) if (event.kind === 'batch') on = comparePlan(event, record, on);
      let { hash: head, number } = record.safe;
      const dropped: unknown[] = [];
      const batches: DerivedBatch[] = [];
      for (const event of events) {
        if (event.kind !== 'batch') continue;
        const batch = derive(event.afterAcc, head);
        batches.push(batch);
        dropped.push(...droppedOf(batch.steps, event.sequenceNumber, number + 1n));
        number += BigInt(batch.steps.filter((step) => step.block !== undefined).length);
        head = batch.steps.at(-1)?.head ?? assert.fail();
      }
      const blocks = batches.flatMap(({ steps }) => steps.flatMap((step) => step.block ?? []));
      // Which transaction it was, the node finds by its place in the input.
      const told = derived.dropped.map(({ hash: _, ...what }) => what);
      assert.deepEqual(dropped, told, 'what is dropped, and why');
      assert.deepEqual(
        blocks.map(({ hash }) => hash),
        results.map(({ hash }) => hash),
        'blocks',
      );
      assert.equal(head, derived.record.safe.hash, 'head');
      assert.equal(blocks.filter(({ isObliged }) => isObliged).length, derived.obliged, 'obliged blocks');
      record = derived.record;
      return { derived, results, batches };
    },
  };
}

/** Runs a random L1 through both derivers; returns what each of its blocks gave. */
export async function runHistory(twins: DeriveTwins, dice: Dice, blocks: number) {
  const nonces: Guess['nonces'] = new Map();
  const outcomes: Awaited<ReturnType<DeriveTwins['step']>>[] = [];
  for (let i = 0; i < blocks; i += 1) {
    const { safe, messagesAllowed } = twins.record();
    const guess = {
      timestamp: safe.timestamp,
      origin: safe.originNumber,
      read: safe.messagesRead,
      nonces: new Map(nonces),
    };
    const { seconds, messages, batches } = nextDelivery(dice, twins.history, guess, messagesAllowed);
    if (dice.chance(20)) twins.machine.forget();
    const { block, events } = twins.history.mine(seconds, messages, batches);
    const outcome = await twins.step(block, events);
    for (const { sender } of outcome.results.flatMap(({ receipts }) => receipts))
      nonces.set(sender, (nonces.get(sender) ?? 0) + 1);
    outcomes.push(outcome);
  }
  return outcomes;
}
