import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeBlockInput, type MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { buildGenesis } from '../../../protocol/rollup/genesis.ts';
import {
  addressOf,
  CHAIN_ID,
  ETHER,
  GENESIS,
  PREDEPLOY_CODE,
  rules,
} from '../appliance/rollup/execute/chain-fixture.ts';
import { createTwins } from './machine-fixture.ts';
import { createDice, createRandomChain, WALLETS } from './random-blocks.ts';
import { type Hart, runRv32im } from './rv32im.ts';

/** `node scripts/machine.ts riscv` writes it; CI does. */
const ELF = new URL('../../../machine/target/machine.riscv.elf', import.meta.url);
const MEMORY_BYTES = 512 << 20;
const MAX_STEPS = 5e9;
const BLOCKS = Number(process.env.NECTAR_FUZZ_RUNS ?? 8);
const CANCUN: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };

/** Runs a block on the RISC-V build from its recorded witness alone; returns its answer's first 32 bytes, the hash. */
function runBlock(
  elf: Uint8Array,
  input: Uint8Array,
  witness: ReadonlyMap<string, { readonly bytes: Uint8Array }>,
): { hash: Hex; steps: number } {
  const ruleBytes = new Uint8Array(10);
  new DataView(ruleBytes.buffer).setBigUint64(0, CHAIN_ID, true);
  const inputs = [ruleBytes, input];
  const kinds = ['header', 'node', 'code'];
  let written = new Uint8Array();
  const register = ({ registers }: Hart, number: number): number => (registers[number] ?? 0) >>> 0;
  const give = (hart: Hart, bytes: Uint8Array | undefined, at: number, room: number): void => {
    if (bytes && bytes.length <= room) hart.memory.set(bytes, at);
    hart.registers[10] = bytes?.length ?? -1;
  };
  const { code, steps } = runRv32im(
    elf,
    (hart) => {
      const [a0, a1, a2, a3, call] = [10, 11, 12, 13, 17].map((number) => register(hart, number)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      if (call === 0) return a0;
      if (call === 1) written = hart.memory.slice(a1, a1 + a2);
      else if (call === 2) give(hart, inputs[a0], a1, a2);
      else give(hart, witness.get(`${kinds[a0]} ${bytesToHex(hart.memory.slice(a1, a1 + 32))}`)?.bytes, a2, a3);
      return undefined;
    },
    { memoryBytes: MEMORY_BYTES, maxSteps: MAX_STEPS },
  );
  assert.equal(code, 0);
  return { hash: bytesToHex(written.subarray(0, 32)), steps };
}

const isHere = existsSync(ELF);
const skip = !isHere && process.env.CI !== 'true' && 'no RISC-V build here: node scripts/machine.ts riscv';

test('random blocks have the same hashes on RV32IM, from their witnesses alone, as in WebAssembly', {
  skip,
}, async (context) => {
  const elf = readFileSync(ELF);
  const alloc = WALLETS.slice(0, -1).map((wallet) => ({ address: addressOf(wallet), balanceWei: 1000n * ETHER }));
  const genesis = await buildGenesis({ ...GENESIS, alloc }, PREDEPLOY_CODE, rules);
  const dice = createDice(77);
  const chain = createRandomChain(dice);
  const twins = createTwins(genesis, rules, CANCUN);
  let steps = 0;
  for (let number = 1; number <= BLOCKS; number += 1) {
    const input = chain.next(nextBaseFee(twins.header));
    const previous = twins.header.serialize();
    twins.machine.forget();
    twins.preimages.asked.clear();
    const { oracle, built } = await twins.step(input);
    const witness = new Map(twins.preimages.asked);
    const guest = runBlock(elf, encodeBlockInput(previous, input), witness);
    assert.equal(guest.hash, built.hash, `block ${number}`);
    steps += guest.steps;
    chain.learn({
      dropped: oracle.dropped,
      created: oracle.receipts.flatMap(({ contractAddress, status }) =>
        contractAddress && status === 1 ? [contractAddress] : [],
      ),
    });
  }
  context.diagnostic(`${BLOCKS} blocks, ${Math.round(steps / 1e6)} million steps`);
});
