import { keccak256, toBeHex } from 'ethers';
import { CORE0 } from '../../machine/generated/digest.ts';
import { encodeConfig } from '../../machine/tracer/iteration.ts';
import type { Hex } from '../../protocol/brand.ts';
import type { ForkRules } from '../../protocol/rollup/fork.ts';

/** What RollupConfig says of the machine of disputes of this version. */
export interface MachineOnL1 {
  /** Hash of what the machine must know of the chain, of which the last L1 block before the contracts is a part. */
  readonly machine: (deployedAt: bigint) => Hex;
  /** Hash of the machine before its first step. */
  readonly core0: Hex;
}

/** The machine of this version, for a network whose contracts are to be deployed. */
export function describeMachine(chainId: bigint, { fork, p256 }: ForkRules): MachineOnL1 {
  return {
    machine: (deployedAt) => keccak256(encodeConfig({ chainId, fork, p256, deployedAt })) as Hex,
    core0: toBeHex(CORE0, 32) as Hex,
  };
}
