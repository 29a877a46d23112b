import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodePlace, readInputs, readStep } from '../../../machine/host/derive.ts';
import { encodeBlockInput, type MachineRules } from '../../../machine/host/machine.ts';
import { createWireReader } from '../../../machine/host/wire.ts';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { addressOf, CHAIN_ID, ETHER, GENESIS, genesisBy, rules } from '../appliance/rollup/execute/chain-fixture.ts';
import { createDeriveTwins, DEPLOYED_AT, runHistory } from './derive-twins.ts';
import { createTwins } from './machine-fixture.ts';
import { createDice, createRandomChain, WALLETS } from './random-blocks.ts';
import { runGuest } from './riscv-guest.ts';

/** `node scripts/machine.ts riscv` writes it; CI does. */
const ELF = new URL('../../../machine/target/machine.riscv.elf', import.meta.url);
const BLOCKS = Number(process.env.NECTAR_FUZZ_RUNS ?? 8);
const CANCUN: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };

const isHere = existsSync(ELF);
const skip = !isHere && process.env.CI !== 'true' && 'no RISC-V build here: node scripts/machine.ts riscv';

test('random blocks have the same hashes on RV32IM, from their witnesses alone, as in WebAssembly', {
  skip,
}, async (context) => {
  const elf = readFileSync(ELF);
  const alloc = WALLETS.slice(0, -1).map((wallet) => ({ address: addressOf(wallet), balanceWei: 1000n * ETHER }));
  const genesis = genesisBy({ ...GENESIS, alloc }, rules);
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
    const guest = runGuest(elf, { call: 'execute', input: encodeBlockInput(previous, input) }, witness);
    assert.equal(bytesToHex(guest.output.subarray(0, 32)), built.hash, `block ${number}`);
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

test('batches of a random L1 are derived on RV32IM, from their witnesses alone, as in WebAssembly', {
  skip,
}, async (context) => {
  const elf = readFileSync(ELF);
  const twins = createDeriveTwins(genesisBy(GENESIS, rules));
  let [runs, steps] = [0, 0];
  for (const { batches } of await runHistory(twins, createDice(9), BLOCKS)) {
    for (const { accumulator, head, steps: expected } of batches) {
      let place = { deployedAt: DEPLOYED_AT, accumulator, head, offset: 0n };
      twins.machine.forget();
      twins.preimages.asked.clear();
      const inputs = twins.machine.deriveInputs(place);
      const planned = runGuest(elf, { call: 'inputs', input: encodePlace(place) }, twins.preimages.asked);
      assert.deepEqual(readInputs(createWireReader(planned.output)), inputs);
      steps += planned.steps;
      for (const { fresh: _, ...step } of expected) {
        twins.machine.forget();
        twins.preimages.asked.clear();
        twins.machine.deriveBlock(place);
        const guest = runGuest(elf, { call: 'derive', input: encodePlace(place) }, twins.preimages.asked);
        assert.deepEqual(readStep(createWireReader(guest.output)), step);
        place = { ...place, head: step.head, offset: step.next ?? 0n };
        runs += 1;
        steps += guest.steps;
      }
    }
  }
  context.diagnostic(`${runs} steps of derivation, ${Math.round(steps / 1e6)} million of the machine`);
  assert.ok(runs > BLOCKS / 2);
});
