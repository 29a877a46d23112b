import type { BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../protocol/brand.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import { readHeader } from '../../protocol/rollup/read-header.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { Heads } from './execute/heads.ts';
import { createStateReader, EMPTY_ROOT, type StateSource } from './execute/state-reader.ts';

export interface HeadAccount {
  readonly nonce: bigint;
  readonly balance: bigint;
}

/** The unsafe head, for a pool that asks for it with each transaction. Throws ROLLUP_STATE_MISSING, ROLLUP_DATABASE_INVALID. */
export interface HeadReader {
  /** Read once per head. */
  header(): Promise<BlockHeader>;
  /** The one that was read last. */
  lastHeader(): BlockHeader | undefined;
  /** Read once per head: a pool asks for the sender of what arrives, and for all senders before and after each block. */
  account(address: Hex): Promise<HeadAccount>;
}

export interface HeadParts {
  readonly executor: { heads(): Pick<Heads, 'unsafe'> };
  readonly database: StateSource;
  readonly rules: Rules;
}

/** The root of an account's storage in the state of a block. Throws ROLLUP_STATE_MISSING, ROLLUP_DATABASE_INVALID. */
export async function storageRootAt(
  blockHash: Hex,
  address: Hex,
  { database, rules }: Pick<HeadParts, 'database' | 'rules'>,
): Promise<Hex> {
  const { stateRoot } = await readHeader(blockHash, database, rules);
  const { value } = await createStateReader(database, bytesToHex(stateRoot)).account(address);
  return value?.storageRoot ?? EMPTY_ROOT;
}

/** Accounts that are remembered of one head: more than the pool takes transactions. */
const MAX_ACCOUNTS = 8_192;

export function createHeadReader(parts: () => HeadParts): HeadReader {
  let hash: Hex | undefined;
  let last: BlockHeader | undefined;
  /** Of the state under `root`. */
  let accounts = new Map<Hex, Promise<HeadAccount>>();
  let root: Hex | undefined;

  async function header(): Promise<BlockHeader> {
    const { executor, database, rules } = parts();
    const { unsafe } = executor.heads();
    if (last !== undefined && hash === unsafe.hash) return last;
    const read = await readHeader(unsafe.hash, database, rules);
    hash = unsafe.hash;
    last = read;
    return read;
  }

  async function readAccount(stateRoot: Hex, address: Hex): Promise<HeadAccount> {
    const { value } = await createStateReader(parts().database, stateRoot).account(address);
    return { nonce: value?.nonce ?? 0n, balance: value?.balance ?? 0n };
  }

  return {
    header,
    lastHeader: () => last,
    async account(address) {
      const stateRoot = bytesToHex((await header()).stateRoot);
      if (stateRoot !== root || accounts.size >= MAX_ACCOUNTS) accounts = new Map();
      root = stateRoot;
      const known = accounts;
      const reading = known.get(address) ?? readAccount(stateRoot, address);
      known.set(address, reading);
      // What could not be read is read again.
      reading.catch(() => known.delete(address));
      return reading;
    },
  };
}
