import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BlockHeader } from '@ethereumjs/block';
import type { InboxPreimageKind, PreimageKind, Preimages } from '../../../machine/host/instance.ts';
import { compileMachine } from '../../../machine/host/load.ts';
import { createMachine, type Machine, type MachineBlock, type MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { BlockInput } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState, type MemoryState } from '../../oracle/state-by-hash.ts';
import { type TransitionResult, transition } from '../../oracle/transition.ts';

const FILE = new URL('../../../machine/generated/machine.wasm', import.meta.url);

export const machineModule = compileMachine(readFileSync(FILE), (bytes) =>
  createHash('sha256').update(bytes).digest('hex'),
);

type AnyKind = PreimageKind | InboxPreimageKind;

/** Preimages in memory, each kind by itself. `asked` is what the machine read. */
export interface MemoryPreimages extends Preimages {
  put(kind: AnyKind, hash: Hex, bytes: Uint8Array): void;
  readonly asked: Map<string, { kind: AnyKind; hash: Hex; bytes: Uint8Array }>;
}

export function createMemoryPreimages(): MemoryPreimages {
  const stored = new Map<string, Uint8Array>();
  const asked: MemoryPreimages['asked'] = new Map();
  const get = (kind: AnyKind, hash: Uint8Array): Uint8Array | undefined => {
    const name = `${kind} ${bytesToHex(hash)}`;
    const bytes = stored.get(name);
    if (bytes) asked.set(name, { kind, hash: bytesToHex(hash), bytes });
    return bytes;
  };
  return {
    asked,
    get,
    getInbox: get,
    put: (kind, hash, bytes) => stored.set(`${kind} ${hash}`, bytes),
  };
}

/** Puts what an oracle's state holds by hash alone under every kind. */
export function putAll(preimages: MemoryPreimages, entries: Iterable<readonly [Hex, Uint8Array]>): void {
  for (const [hash, bytes] of entries)
    for (const kind of ['header', 'node', 'code'] as const) preimages.put(kind, hash, bytes);
}

export function putFresh(preimages: MemoryPreimages, { fresh }: Pick<MachineBlock, 'fresh'>): void {
  for (const { kind, hash, bytes } of fresh) preimages.put(kind, bytesToHex(hash), bytes);
}

/** A chain that the TypeScript transition and the machine build block by block; whatever differs fails the test. */
export interface Twins {
  readonly machine: Machine;
  readonly preimages: MemoryPreimages;
  readonly state: MemoryState;
  header: BlockHeader;
  step(input: BlockInput): Promise<{ oracle: TransitionResult; built: MachineBlock }>;
}

export function createTwins(
  genesis: { header: BlockHeader; preimages: ReadonlyMap<Hex, Uint8Array> },
  rules: Rules,
  machineRules: MachineRules,
): Twins {
  const preimages = createMemoryPreimages();
  putAll(preimages, genesis.preimages);
  const machine = createMachine(machineModule, machineRules, preimages);
  const state = createMemoryState({ get: async (hash: Hex) => genesis.preimages.get(hash) });
  const twins: Twins = {
    machine,
    preimages,
    state,
    header: genesis.header,
    async step(input) {
      const oracle = await transition(twins.header, input, { state, rules });
      const built = machine.executeBlock(twins.header.serialize(), input);
      assert.deepEqual(built.dropped, oracle.dropped, 'what is dropped, and why');
      const receipts = decodeReceipts(built.receipts);
      assert.deepEqual(receipts, oracle.receipts, 'receipts');
      assert.equal(bytesToHex(built.header), bytesToHex(oracle.header.serialize()), 'header');
      assert.equal(built.hash, oracle.hash);
      assert.equal(bytesToHex(built.block), bytesToHex(oracle.block.serialize()), 'block');
      putFresh(preimages, built);
      twins.header = oracle.header;
      return { oracle, built };
    },
  };
  return twins;
}
