import { createMachine, type Machine, type MachineRules } from '../../../machine/host/machine.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';

/** The machine as calls use it: its state is that of any block, and what calls make of it is forgotten. */
export interface EvmMachine {
  readonly machine: Machine;
  readonly machineRules: MachineRules;
  readonly rules: Rules;
  /** Does `work`; what it keeps of a state that no block has is there for it, and gone afterwards. */
  withScratch<T>(work: (keep: (hash: Uint8Array, bytes: Uint8Array) => void) => T): T;
}

export interface EvmMachineOptions {
  readonly module: WasmModule;
  readonly machineRules: MachineRules;
  readonly rules: Rules;
}

export function createEvmMachine(
  { module, machineRules, rules }: EvmMachineOptions,
  preimages: { get(hash: Uint8Array): Uint8Array | undefined },
): EvmMachine {
  const scratch = new Map<string, Uint8Array>();
  const get = (hash: Uint8Array): Uint8Array | undefined =>
    (scratch.size > 0 ? scratch.get(bytesToHex(hash)) : undefined) ?? preimages.get(hash);
  return {
    machine: createMachine(module, machineRules, { get: (_kind, hash) => get(hash) }),
    machineRules,
    rules,
    withScratch(work) {
      try {
        return work((hash, bytes) => scratch.set(bytesToHex(hash), bytes));
      } finally {
        scratch.clear();
      }
    },
  };
}
