import { MACHINE_SHA256 } from '../../machine/generated/digest.ts';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { ForkRules } from '../../protocol/rollup/fork.ts';
import { createRules, type HostCrypto, type Rules } from '../../protocol/rollup/rules.ts';
import { nativeCrypto } from './execute/native-crypto.ts';

type L2 = { readonly l2: Pick<NetworkDescriptor['l2'], 'chainId' | 'genesis'> };

/** The machine of this version, as a network's descriptor names it. */
export const MACHINE_DIGEST: Hex = `0x${MACHINE_SHA256}`;

/** By which rules the network's blocks run. */
export function forkOf({ l2 }: L2): ForkRules {
  const { fork, p256 } = l2.genesis;
  return { fork, p256 };
}

export function rulesOf(descriptor: L2, crypto: HostCrypto = nativeCrypto): Rules {
  return createRules(BigInt(descriptor.l2.chainId), crypto, forkOf(descriptor));
}

/** Another machine is another chain: this node would part from the others at some block. Throws ROLLUP_MACHINE_MISMATCH. */
export function assertMachine({ l2 }: { readonly l2: Pick<NetworkDescriptor['l2'], 'machine'> }): void {
  if (l2.machine === MACHINE_DIGEST) return;
  throw new NectarError('ROLLUP_MACHINE_MISMATCH', { expected: l2.machine, actual: MACHINE_DIGEST });
}
