import { RLP } from '@ethereumjs/rlp';
import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';

export const EMPTY_ROOT: Hex = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
export const EMPTY_CODE: Hex = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';

/** Where the state is: the chain's database. */
export interface StateSource {
  get(hash: Hex): Promise<Uint8Array | undefined>;
}

export interface StateAccount {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Hex;
  readonly codeHash: Hex;
}

/** What a trie has under a key: undefined when it has nothing; and the nodes that show it, from the root on. */
export interface Found<T> {
  readonly value: T | undefined;
  readonly proof: readonly Uint8Array[];
}

/**
 * Accounts, storage and code of one state, each read by itself. Throws ROLLUP_STATE_MISSING when a part of it is not there,
 * ROLLUP_DATABASE_INVALID when it is malformed, and what the source throws.
 */
export interface StateReader {
  account(address: Hex): Promise<Found<StateAccount>>;
  /** `slot` is a 32-byte word. The value without its leading zeros is a number. */
  storage(account: StateAccount | undefined, slot: Hex): Promise<Found<bigint>>;
  code(account: StateAccount | undefined): Promise<Uint8Array>;
}

type RlpItem = Uint8Array | RlpItem[];

const MALFORMED = new NectarError('ROLLUP_DATABASE_INVALID', { what: 'state' });

function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes));
}

function decodeAccount(bytes: Uint8Array): StateAccount {
  const [nonce, balance, storageRoot, codeHash] = RLP.decode(bytes) as Uint8Array[];
  if (nonce === undefined || balance === undefined || storageRoot?.length !== 32 || codeHash?.length !== 32)
    throw MALFORMED;
  return {
    nonce: toNumber(nonce),
    balance: toNumber(balance),
    storageRoot: bytesToHex(storageRoot),
    codeHash: bytesToHex(codeHash),
  };
}

/** One step down: the child that the path leads to and what is left of the path, or what is there at its end. */
type Step = { readonly child: RlpItem; readonly path: string } | { readonly value: Uint8Array | undefined };

/** `path` is in hexadecimal digits. */
function stepInto(node: RlpItem, path: string): Step {
  if (!Array.isArray(node)) throw MALFORMED;
  if (node.length === 17) {
    const child = node[Number.parseInt(path[0] ?? '', 16)];
    if (child === undefined) throw MALFORMED;
    return child.length === 0 ? { value: undefined } : { child, path: path.slice(1) };
  }
  const [packed, child] = node;
  if (node.length !== 2 || !(packed instanceof Uint8Array) || child === undefined) throw MALFORMED;
  // Hex-prefix encoding (Yellow Paper, appendix C): the first digit says whether it is a leaf, and whether the path is odd.
  const digits = bytesToHex(packed).slice(2);
  const flag = Number.parseInt(digits[0] ?? '', 16);
  const own = digits.slice(flag % 2 === 1 ? 1 : 2);
  if (!path.startsWith(own)) return { value: undefined };
  if (flag < 2) return { child, path: path.slice(own.length) };
  if (own.length !== path.length || !(child instanceof Uint8Array)) throw MALFORMED;
  return { value: child };
}

/** Reads on from the state under a root (the header's `stateRoot`). */
export function createStateReader(source: StateSource, stateRoot: Hex): StateReader {
  async function read(hash: Hex): Promise<Uint8Array> {
    const bytes = await source.get(hash);
    if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
    return bytes;
  }

  async function find(root: Hex, key: Hex): Promise<Found<Uint8Array>> {
    if (root === EMPTY_ROOT) return { value: undefined, proof: [] };
    let path = keccak256(key).slice(2);
    let bytes = await read(root);
    const proof = [bytes];
    let node = RLP.decode(bytes) as RlpItem;
    for (;;) {
      const step = stepInto(node, path);
      if ('value' in step) return { value: step.value, proof };
      ({ path } = step);
      // A node that is shorter than a hash stands in its parent, and is shown with it.
      if (Array.isArray(step.child)) {
        node = step.child;
        continue;
      }
      bytes = await read(bytesToHex(step.child));
      proof.push(bytes);
      node = RLP.decode(bytes) as RlpItem;
    }
  }

  return {
    async account(address) {
      const { value, proof } = await find(stateRoot, address);
      return { value: value && decodeAccount(value), proof };
    },
    async storage(account, slot) {
      const { value, proof } = await find(account?.storageRoot ?? EMPTY_ROOT, slot);
      return { value: value && toNumber(RLP.decode(value) as Uint8Array), proof };
    },
    async code(account) {
      if (account === undefined || account.codeHash === EMPTY_CODE) return new Uint8Array();
      return read(account.codeHash);
    },
  };
}
