/** Calls as the RPC has them, in the machine's terms. */
import type { BlockOverrides, AccountOverride as MachineAccount, MachineCall } from '../../../machine/host/calls.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { AccountOverride, BlockOverride, CallRequest } from './call-request.ts';

/** The machine counts fees in 128 bits. There is not so much wei. */
export const MAX_FEE = (1n << 128n) - 1n;

export function toMachineCall(request: CallRequest): MachineCall {
  return { ...request, data: hexToBytes(request.data) };
}

export function toMachineBlock({ time, baseFeePerGas, ...same }: BlockOverride): BlockOverrides {
  return {
    ...same,
    ...(time !== undefined && { timestamp: time }),
    ...(baseFeePerGas !== undefined && { baseFee: baseFeePerGas }),
  };
}

export function toMachineAccount({ address, balance, nonce, code, storage }: AccountOverride): MachineAccount {
  return {
    address,
    ...(balance !== undefined && { balanceWei: balance }),
    ...(nonce !== undefined && { nonce }),
    ...(code !== undefined && { code: hexToBytes(code) }),
    ...(storage !== undefined && {
      storage: {
        kind: storage.whole ? 'replace' : 'patch',
        slots: storage.slots.map(([slot, value]) => [BigInt(slot), BigInt(value)] as const),
      },
    }),
  };
}
