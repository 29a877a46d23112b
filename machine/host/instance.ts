import { NectarError } from '../../protocol/errors.ts';
import { type WasmMemory, type WasmModule, WebAssembly } from './web-assembly.ts';

/** What the machine asks a preimage for. The kind decides, never the hash: see machine/README.md. */
export type PreimageKind = 'header' | 'node' | 'code';

/**
 * What derivation asks for besides: a header of L1; the words that an accumulator of the L1 contracts or a delayed message's hash
 * is the hash of; a batch's bytes, its blobs' versioned hashes, or a message's data; a blob, by its versioned hash (the host has
 * checked its commitment).
 */
export type InboxPreimageKind = 'l1-header' | 'accumulator' | 'data' | 'blob';

/** The world as the machine sees it. Answers at once: the machine cannot wait. */
export interface Preimages {
  /** As `get`, for what L1 holds. A host that derives nothing has none. */
  getInbox?(kind: InboxPreimageKind, hash: Uint8Array): Uint8Array | undefined;
  /** The bytes whose Keccak-256 is `hash` (32 bytes, a copy); undefined when they are not there. What it throws reaches the caller. */
  get(kind: PreimageKind, hash: Uint8Array): Uint8Array | undefined;
}

/** A preimage that a block made. */
export interface FreshPreimage {
  readonly kind: PreimageKind;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What the compiled machine exports; machine/README.md has each call. */
export interface MachineExports {
  readonly memory: WasmMemory;
  abi_version(): number;
  allocate(length: number): number;
  release(at: number, length: number): void;
  output(): number;
  output_length(): number;
  fresh(): number;
  fresh_length(): number;
  open(chainId: bigint, fork: number, p256: number): number;
  decode(at: number, length: number): number;
  signatures(at: number, length: number): number;
  execute_block(at: number, length: number): number;
  derive_block(at: number, length: number): number;
  derive_inputs(at: number, length: number): number;
  build_state(at: number, length: number): number;
  inflate_columns(at: number, length: number): number;
  simulate_calls(at: number, length: number): number;
  simulate_block(at: number, length: number): number;
  trace_block(at: number, length: number): number;
  forget(): void;
}

/** Names of the calls that take bytes and answer with a status. */
export type Call = Exclude<
  keyof MachineExports,
  'memory' | 'abi_version' | 'allocate' | 'release' | 'open' | 'forget' | Answer
>;
type Answer = 'output' | 'output_length' | 'fresh' | 'fresh_length';

export interface Instance {
  /** Makes a call; returns its status. Throws what the host's preimages threw, or ROLLUP_MACHINE_FAULT after a trap. */
  call(name: Call, input: Uint8Array): number;
  /** A copy of the last call's answer. */
  output(): Uint8Array;
  /** A copy of the preimages that the last block made. */
  fresh(): Uint8Array;
  readonly exports: MachineExports;
}

const ABI_VERSION = 3;
const KINDS: readonly PreimageKind[] = ['header', 'node', 'code'];
/** Their numbers follow those of KINDS. */
const INBOX_KINDS: readonly InboxPreimageKind[] = ['l1-header', 'accumulator', 'data', 'blob'];
const HASH_BYTES = 32;

export function kindOf(number: number): PreimageKind {
  const kind = KINDS[number];
  if (kind === undefined) throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: 'it names an unknown kind' });
  return kind;
}

/** The number of a kind in the ABI. */
export function numberOf(kind: PreimageKind | InboxPreimageKind): number {
  return [...KINDS, ...INBOX_KINDS].indexOf(kind);
}

function find(preimages: Preimages, kind: number, hash: Uint8Array): Uint8Array | undefined {
  const inbox = INBOX_KINDS[kind - KINDS.length];
  return inbox === undefined ? preimages.get(kindOf(kind), hash) : preimages.getInbox?.(inbox, hash);
}

/** Makes one instance: one machine, one memory. Throws ROLLUP_MACHINE_INVALID when it speaks another ABI. */
export function createInstance(module: WasmModule, preimages: Preimages): Instance {
  // What the host's side threw: it must not unwind through the machine, whose memory it would leave half changed.
  let thrown: { readonly error: unknown } | undefined;
  const memory = (): Uint8Array => new Uint8Array(exports.memory.buffer);
  const preimage = (kind = 0, hash = 0, out = 0, capacity = 0): number => {
    try {
      const bytes = find(preimages, kind, memory().slice(hash, hash + HASH_BYTES));
      if (bytes === undefined) return -1;
      if (bytes.length <= capacity) memory().set(bytes, out);
      return bytes.length;
    } catch (error) {
      thrown = { error };
      return -1;
    }
  };
  const exports = new WebAssembly.Instance(module, { host: { preimage } }).exports as MachineExports;
  const version = exports.abi_version();
  if (version !== ABI_VERSION)
    throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: `it speaks version ${version} of its interface` });
  const copy = (at: number, length: number): Uint8Array => memory().slice(at, at + length);

  const enter = (name: Call, input: Uint8Array): number => {
    try {
      const at = exports.allocate(input.length);
      memory().set(input, at);
      const status = exports[name](at, input.length);
      exports.release(at, input.length);
      return status;
    } catch (cause) {
      // Out of memory, out of stack, or a bug. The instance is half changed.
      throw new NectarError(
        'ROLLUP_MACHINE_FAULT',
        { reason: cause instanceof Error ? cause.message : 'a trap' },
        { cause },
      );
    }
  };

  return {
    exports,
    call(name, input) {
      const status = enter(name, input);
      if (thrown !== undefined) {
        const { error } = thrown;
        thrown = undefined;
        throw error;
      }
      return status;
    },
    output: () => copy(exports.output(), exports.output_length()),
    fresh: () => copy(exports.fresh(), exports.fresh_length()),
  };
}
