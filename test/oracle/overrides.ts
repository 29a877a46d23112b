import { type BlockHeader, createBlockHeader } from '@ethereumjs/block';
import { Account, createAddressFromString, setLengthLeft, unpadBytes } from '@ethereumjs/util';
import type { AccountOverride, BlockOverride } from '../../appliance/rollup/evm/call-request.ts';
import { hexToBytes } from '../../protocol/rollup/bytes.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { StateTrie } from './state-trie.ts';

/** Puts overrides into a state that nobody keeps. */
export async function overrideState(
  { manager }: Pick<StateTrie, 'manager'>,
  overrides: readonly AccountOverride[],
): Promise<void> {
  for (const { address: hex, balance, nonce, code, storage } of overrides) {
    const address = createAddressFromString(hex);
    const account = (await manager.getAccount(address)) ?? new Account();
    if (balance !== undefined) account.balance = balance;
    if (nonce !== undefined) account.nonce = nonce;
    await manager.putAccount(address, account);
    if (code !== undefined) await manager.putCode(address, hexToBytes(code));
    if (storage?.whole === true) await manager.clearStorage(address);
    for (const [slot, value] of storage?.slots ?? [])
      await manager.putStorage(address, setLengthLeft(hexToBytes(slot), 32), unpadBytes(hexToBytes(value)));
  }
  // Written through, so that a second look at this state finds the same.
  await manager.flush();
}

/** A block's header as a call sees it. Without a price for gas there is no base fee either, unless one is asked for. */
export function contextOf(
  header: BlockHeader,
  {
    block = {},
    isFree,
    rules,
  }: { readonly block?: BlockOverride | undefined; readonly isFree: boolean; readonly rules: Rules },
): BlockHeader {
  return createBlockHeader(
    {
      ...header,
      ...(block.number !== undefined && { number: block.number }),
      ...(block.time !== undefined && { timestamp: block.time }),
      ...(block.gasLimit !== undefined && { gasLimit: block.gasLimit }),
      ...(block.feeRecipient !== undefined && { coinbase: createAddressFromString(block.feeRecipient) }),
      ...(block.prevRandao !== undefined && { mixHash: hexToBytes(block.prevRandao) }),
      baseFeePerGas: block.baseFeePerGas ?? (isFree ? 0n : (header.baseFeePerGas ?? 0n)),
    },
    { common: rules },
  );
}
