import { createBlock } from '@ethereumjs/block';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { createVM, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { encodeOrigin } from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { type Genesis, type GenesisParams, PREDEPLOYS, type PredeployCode } from '../../protocol/rollup/genesis.ts';
import {
  HISTORY_ADDRESS,
  HISTORY_CODE,
  NO_REQUESTS_HASH,
  ORIGIN_ROOTS_ADDRESS,
  ORIGIN_ROOTS_CODE,
  type Rules,
} from '../../protocol/rollup/rules.ts';
import { evmRules } from './evm-rules.ts';
import { createMemoryState, type StateByHash } from './state-by-hash.ts';
import { openStateTrie } from './state-trie.ts';

const INITIAL_BASE_FEE_WEI = 1_000_000_000n;
const CONSTRUCTOR_GAS = 30_000_000n;
const ZERO_HASH = new Uint8Array(32);

function word(value: bigint | number): string {
  return value.toString(16).padStart(64, '0');
}

/** ABI encoding of (address[], uint8), NodeRegistry's constructor arguments. */
function registryArguments({ auditors, ejectionQuorum }: GenesisParams): string {
  const head = word(64) + word(ejectionQuorum) + word(auditors.length);
  return head + auditors.map((auditor) => word(BigInt(auditor))).join('');
}

/** Who the EVM takes for the caller of a call that names none; it counts their calls as nonces. */
const NO_CALLER: Hex = '0x0000000000000000000000000000000000000000';

/** Runs creation code at a fixed address and keeps what it returns as the code there: the constructor's storage stays. */
async function predeploy(vm: VM, address: Hex, creation: string): Promise<void> {
  const to = createAddressFromString(address);
  await vm.stateManager.putAccount(to, new Account(1n));
  const { execResult } = await vm.evm.runCall({
    to,
    code: hexToBytes(`0x${creation}`),
    data: new Uint8Array(),
    gasLimit: CONSTRUCTOR_GAS,
  });
  if (execResult.exceptionError !== undefined || execResult.returnValue.length === 0) {
    throw new NectarError('ROLLUP_GENESIS_INVALID', { reason: `the constructor of ${address} failed` });
  }
  await vm.stateManager.putCode(to, execResult.returnValue);
}

/**
 * As protocol/rollup/genesis.ts, by the EVM of @ethereumjs. Builds the first block: balances, the contracts of EIP-4788 and (from Prague on) EIP-2935, and the predeploys by running their constructors in the EVM. The same
 * parameters give the same hash everywhere. Throws ROLLUP_GENESIS_INVALID.
 */
export async function buildOracleGenesis(params: GenesisParams, code: PredeployCode, rules: Rules): Promise<Genesis> {
  const state = createMemoryState();
  const stateRoot = await genesisState(params, code, { state, rules });
  const header = {
    number: 0n,
    timestamp: params.timestamp,
    gasLimit: params.gasLimit,
    coinbase: createAddressFromString(params.feeRecipient),
    baseFeePerGas: INITIAL_BASE_FEE_WEI,
    extraData: encodeOrigin({ number: 0n, delayedMessages: 0n }),
    mixHash: ZERO_HASH,
    parentBeaconBlockRoot: ZERO_HASH,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    stateRoot,
    ...(rules.isActivatedEIP(7685) && { requestsHash: hexToBytes(NO_REQUESTS_HASH) }),
  };
  const block = createBlock({ header, withdrawals: [] }, { common: rules });
  const hash = bytesToHex(block.hash());
  await state.put(hash, block.header.serialize());
  return { hash, header: block.header, block, preimages: state.written };
}

async function putContract(manager: VM['stateManager'], address: Hex, code: Hex): Promise<void> {
  const at = createAddressFromString(address);
  await manager.putAccount(at, new Account(1n));
  await manager.putCode(at, hexToBytes(code));
}

async function genesisState(
  params: GenesisParams,
  code: PredeployCode,
  { state, rules }: { state: StateByHash; rules: Rules },
): Promise<Hex> {
  const trie = openStateTrie(state, undefined, rules);
  const vm = await createVM({ common: evmRules(rules), stateManager: trie.manager });
  const { manager } = trie;
  for (const { address, balanceWei } of params.alloc) {
    const account = (await manager.getAccount(createAddressFromString(address))) ?? new Account();
    account.balance += balanceWei;
    if (balanceWei > 0n) await manager.putAccount(createAddressFromString(address), account);
  }
  await putContract(manager, ORIGIN_ROOTS_ADDRESS, ORIGIN_ROOTS_CODE);
  if (rules.isActivatedEIP(2935)) await putContract(manager, HISTORY_ADDRESS, HISTORY_CODE);
  await predeploy(vm, PREDEPLOYS.nodeRegistry, code.nodeRegistry.slice(2) + registryArguments(params));
  await predeploy(vm, PREDEPLOYS.recordRegistry, code.recordRegistry.slice(2));
  await predeploy(vm, PREDEPLOYS.auditAnchor, code.auditAnchor.slice(2) + word(BigInt(PREDEPLOYS.nodeRegistry)));
  await predeploy(vm, PREDEPLOYS.messenger, code.messenger.slice(2));
  await predeploy(vm, PREDEPLOYS.storageDeals, code.storageDeals.slice(2));
  await manager.deleteAccount(createAddressFromString(NO_CALLER));
  return trie.commit();
}
