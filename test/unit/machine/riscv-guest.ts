import assert from 'node:assert/strict';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { CHAIN_ID } from '../appliance/rollup/execute/chain-fixture.ts';
import { type Hart, runRv32im } from './rv32im.ts';

const MEMORY_BYTES = 512 << 20;
const MAX_STEPS = 5e9;
/** By their numbers in the ABI. */
const KINDS = ['header', 'node', 'code', 'l1-header', 'accumulator', 'data', 'blob'];
const CALLS = ['execute', 'derive', 'inputs'] as const;

/** Makes a call on the RISC-V build with a witness and nothing else; returns its answer. Cancun, without P-256. */
export function runGuest(
  elf: Uint8Array,
  { call, input }: { readonly call: (typeof CALLS)[number]; readonly input: Uint8Array },
  witness: ReadonlyMap<string, { readonly bytes: Uint8Array }>,
): { output: Uint8Array; steps: number } {
  const head = new Uint8Array(11);
  new DataView(head.buffer).setBigUint64(0, CHAIN_ID, true);
  head[10] = CALLS.indexOf(call);
  const inputs = [head, input];
  let output = new Uint8Array();
  const register = ({ registers }: Hart, number: number): number => (registers[number] ?? 0) >>> 0;
  const give = (hart: Hart, bytes: Uint8Array | undefined, at: number, room: number): void => {
    if (bytes && bytes.length <= room) hart.memory.set(bytes, at);
    hart.registers[10] = bytes?.length ?? -1;
  };
  const { code, steps } = runRv32im(
    elf,
    (hart) => {
      const [a0, a1, a2, a3, number] = [10, 11, 12, 13, 17].map((at) => register(hart, at)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      if (number === 0) return a0;
      if (number === 1) output = hart.memory.slice(a1, a1 + a2);
      else if (number === 2) give(hart, inputs[a0], a1, a2);
      else give(hart, witness.get(`${KINDS[a0]} ${bytesToHex(hart.memory.slice(a1, a1 + 32))}`)?.bytes, a2, a3);
      return undefined;
    },
    { memoryBytes: MEMORY_BYTES, maxSteps: MAX_STEPS },
  );
  assert.equal(code, 0);
  return { output, steps };
}
