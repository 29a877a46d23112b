import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { Caches } from '@ethereumjs/statemanager';
import {
  type BatchDBOp,
  createAccountFromRLP,
  type DB,
  KECCAK256_NULL_S,
  KECCAK256_RLP_S,
  ValueEncoding,
} from '@ethereumjs/util';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { StateByHash } from './state-by-hash.ts';
import { StateManager } from './state-manager.ts';

type RlpItem = Uint8Array | RlpItem[];

/** How @ethereumjs/statemanager marks a key as code: 'c' before the hash. */
const CODE_PREFIX_HEX = '63';
const HASH_HEX_DIGITS = 64;

/** One block's view of the state: Ethereum's account and storage tries over preimages by hash. */
export interface StateTrie {
  readonly manager: StateManager;
  /** Throws what went wrong when state was read: the EVM's own errors must not hide a missing preimage or a broken disk. */
  assertSound(): void;
  /** Hands what the state under the manager's root reaches and was not there before to the StateByHash; returns the root. */
  commit(): Promise<Hex>;
}

/**
 * What was written, by what it is: anybody can deploy code whose bytes are a trie node's, or the empty trie's (0x80), so that one
 * hash is both. Kept apart, the one never stands for the other, and what a node refers to is never taken for stored.
 */
interface Fresh {
  readonly nodes: ReadonlyMap<Hex, Uint8Array>;
  readonly code: ReadonlyMap<Hex, Uint8Array>;
}

/** The database under the tries: reads come from the StateByHash, writes stay until they are known to be reachable. */
function createOverlay(state: StateByHash) {
  const fresh = { nodes: new Map<Hex, Uint8Array>(), code: new Map<Hex, Uint8Array>() };
  const knownNodes = new Set<Hex>();
  let fault: unknown;

  const isCode = (key: string): boolean => key.length > HASH_HEX_DIGITS;
  const hashOf = (key: string): Hex => `0x${isCode(key) ? key.slice(CODE_PREFIX_HEX.length) : key}`;
  const put = (key: string, value: Uint8Array): void => {
    const hash = hashOf(key);
    if (isCode(key)) fresh.code.set(hash, value);
    // The trie writes back every node that it has read: those are there already, with all that they refer to.
    else if (!knownNodes.has(hash)) fresh.nodes.set(hash, value);
  };
  const read = async (key: string): Promise<Uint8Array> => {
    const hash = hashOf(key);
    const own = (isCode(key) ? fresh.code : fresh.nodes).get(hash);
    const bytes = own ?? (await state.get(hash));
    if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
    if (own === undefined && !isCode(key)) knownNodes.add(hash);
    return bytes;
  };
  const db: DB<string, Uint8Array> = {
    async get(key) {
      // The empty trie has no node. Contract code that happens to be its preimage (0x80) is no node either.
      if (key === KECCAK256_RLP_S.slice(2)) return undefined;
      try {
        return await read(key);
      } catch (error) {
        fault ??= error;
        throw error;
      }
    },
    async put(key, value) {
      put(key, value);
    },
    async del() {},
    async batch(operations: BatchDBOp<string, Uint8Array>[]) {
      for (const operation of operations) if (operation.type === 'put') put(operation.key, operation.value);
    },
    shallowCopy: () => db,
    open: async () => {},
  };
  return {
    db,
    fresh,
    assertSound() {
      if (fault !== undefined) throw fault;
    },
  };
}

/** Follows a node's references: child nodes by hash, and what an account leaf points to. */
function references(node: RlpItem, inAccounts: boolean, found: { nodes: Hex[]; storage: Hex[]; code: Hex[] }): void {
  if (!Array.isArray(node)) return;
  const child = (item: RlpItem | undefined): void => {
    if (Array.isArray(item)) references(item, inAccounts, found);
    else if (item?.length === 32) found.nodes.push(bytesToHex(item));
  };
  if (node.length === 17) {
    for (const item of node.slice(0, 16)) child(item);
    return;
  }
  const [path, value] = node;
  // Hex-prefix encoding: the second bit of the first nibble marks a leaf (Yellow Paper, appendix C).
  const isLeaf = path instanceof Uint8Array && ((path[0] ?? 0) & 0x20) !== 0;
  if (!isLeaf) {
    child(value);
  } else if (inAccounts && value instanceof Uint8Array) {
    const account = createAccountFromRLP(value);
    found.storage.push(bytesToHex(account.storageRoot));
    found.code.push(bytesToHex(account.codeHash));
  }
}

type ItemKind = 'account' | 'storage' | 'code';

/** The hash of nothing: of no code, or of a trie without nodes. The preimage of the other kind's nothing is something. */
const NOTHING: Readonly<Record<ItemKind, string>> = {
  account: KECCAK256_RLP_S,
  storage: KECCAK256_RLP_S,
  code: KECCAK256_NULL_S,
};

/** Puts every fresh preimage that the root reaches, and no other: a block leaves no rubbish of its intermediate states. */
async function putReachable(root: Hex, fresh: Fresh, state: StateByHash): Promise<void> {
  const done = new Set<string>();
  const stack: { hash: Hex; kind: ItemKind }[] = [{ hash: root, kind: 'account' }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const bytes = (item.kind === 'code' ? fresh.code : fresh.nodes).get(item.hash);
    const place = `${item.kind}/${item.hash}`;
    if (bytes === undefined || item.hash === NOTHING[item.kind] || done.has(place)) continue;
    done.add(place);
    await state.put(item.hash, bytes);
    if (item.kind === 'code') continue;
    const found = { nodes: [] as Hex[], storage: [] as Hex[], code: [] as Hex[] };
    references(RLP.decode(bytes), item.kind === 'account', found);
    const { kind } = item;
    stack.push(...found.nodes.map((hash) => ({ hash, kind })));
    stack.push(...found.storage.map((hash) => ({ hash, kind: 'storage' as const })));
    stack.push(...found.code.map((hash) => ({ hash, kind: 'code' as const })));
  }
}

/** Opens the state under `root` (32 bytes; undefined = empty). Throws ROLLUP_STATE_MISSING from any read that finds nothing. */
export function openStateTrie(state: StateByHash, root: Uint8Array | undefined, rules: Rules): StateTrie {
  const overlay = createOverlay(state);
  const trie = new MerklePatriciaTrie({
    db: overlay.db,
    valueEncoding: ValueEncoding.Bytes,
    useKeyHashing: true,
    common: rules,
    ...(root && { root }),
  });
  const manager = new StateManager({ trie, common: rules, caches: new Caches() });
  return {
    manager,
    assertSound: overlay.assertSound,
    async commit() {
      const newRoot = bytesToHex(await manager.getStateRoot());
      overlay.assertSound();
      await putReachable(newRoot, overlay.fresh, state);
      return newRoot;
    },
  };
}
