import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry as PromRegistry } from 'prom-client';
import {
  createP2p,
  type HeldBlocks,
  type HeldShards,
  type P2p,
  type P2pDeps,
  type P2pOptions,
  peerIdOfSeed,
} from '../../../../appliance/p2p/index.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { parseCid } from '../../../../protocol/network/block-cid.ts';

/** A registry that all nodes of one test share: who is in it, and who registered which addresses. */
export class RegistryDouble {
  readonly authorized = new Set<PeerIdText>();
  readonly addresses = new Map<PeerIdText, string[]>();
  /** Their entries stay, and are no members'. */
  readonly left = new Set<PeerIdText>();
  readonly ejected = new Set<PeerIdText>();
  broken = false;

  async isAuthorized(peerId: PeerIdText): Promise<boolean> {
    if (this.broken) throw new Error('no state');
    return this.authorized.has(peerId);
  }

  async holder(peerId: PeerIdText): Promise<{ addresses: string[]; status: string } | undefined> {
    const addresses = this.addresses.get(peerId);
    if (addresses === undefined) return undefined;
    const out = this.ejected.has(peerId) ? 'ejected' : 'draining';
    return { addresses, status: this.authorized.has(peerId) ? 'active' : out };
  }

  async members(): Promise<{ peerId: PeerIdText; addresses: string[] }[]> {
    if (this.broken) throw new Error('no state');
    return [...this.addresses].flatMap(([peerId, addresses]) => (this.left.has(peerId) ? [] : [{ peerId, addresses }]));
  }
}

/** A chain of numbered payloads: `accept` takes the next one, ignores any other, rejects what is no block. */
export class ChainDouble {
  readonly blocks: Uint8Array[] = [];
  readonly seen: string[] = [];
  readonly #listeners = new Set<(encoded: Uint8Array) => void>();

  head(): bigint {
    return BigInt(this.blocks.length);
  }

  async accept(encoded: Uint8Array): Promise<'accept' | 'ignore' | 'reject'> {
    const text = new TextDecoder().decode(encoded);
    this.seen.push(text.slice(0, 32));
    const number = /^block ([0-9]+) /.exec(text)?.[1];
    if (number === undefined) return 'reject';
    if (BigInt(number) !== this.head() + 1n) return 'ignore';
    this.blocks.push(encoded);
    return 'accept';
  }

  async range(from: bigint, limit: number): Promise<Uint8Array[]> {
    return this.blocks.slice(Number(from) - 1, Number(from) - 1 + limit);
  }

  onUnsafe(listener: (encoded: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the sequencer of this process does: a block of its own, published. */
  produce(bytes = 64): void {
    const block = blockOf(this.blocks.length + 1, bytes);
    this.blocks.push(block);
    this.publish(block);
  }

  publish(encoded: Uint8Array): void {
    for (const listener of this.#listeners) listener(encoded);
  }
}

export function blockOf(number: number, bytes = 64): Uint8Array {
  return new TextEncoder().encode(`block ${number} `.padEnd(bytes, '.'));
}

export class HeldDouble implements HeldBlocks {
  readonly blocks = new Map<string, Uint8Array>();
  failure: Error | undefined;
  /** So many blocks are taken before. */
  failsAfter = 0;

  async hold(owner: PeerIdText, root: Cid, block: { cid: Cid; bytes: Uint8Array }): Promise<void> {
    if (this.failure !== undefined && this.blocks.size >= this.failsAfter) throw this.failure;
    this.blocks.set(`${owner} ${root} ${block.cid}`, block.bytes);
  }

  async get(owner: PeerIdText, cid: Cid): Promise<Uint8Array | undefined> {
    for (const [key, bytes] of this.blocks) if (key.startsWith(`${owner} `) && key.endsWith(` ${cid}`)) return bytes;
    return undefined;
  }

  async owes(owner: PeerIdText): Promise<boolean> {
    return [...this.blocks.keys()].some((key) => key.startsWith(`${owner} `));
  }

  async release(owner: PeerIdText, root: Cid, cids?: readonly Cid[]): Promise<number> {
    const isOne = (key: string): boolean => cids === undefined || cids.some((cid) => key.endsWith(` ${cid}`));
    let freed = 0;
    for (const [key, bytes] of this.blocks) {
      if (!key.startsWith(`${owner} ${root} `) || !isOne(key)) continue;
      this.blocks.delete(key);
      freed += bytes.length;
    }
    return freed;
  }
}

export interface TestNode {
  readonly p2p: P2p;
  readonly peerId: PeerIdText;
  readonly chain: ChainDouble;
  readonly held: HeldDouble;
  readonly own: Map<Cid, Uint8Array>;
  readonly metrics: PromRegistry;
  /** Tells the node that its L2 head moved. */
  head(): void;
}

export const TEST_OPTIONS: P2pOptions = {
  listenHost: '127.0.0.1',
  listenPort: 0,
  announce: [],
  allowPrivateAddresses: true,
  maxConnections: 16,
  maxOutbound: 8,
  dialIntervalMs: 50,
  dialBackoffMinMs: 20,
  dialBackoffMaxMs: 100,
  dialTimeoutMs: 5_000,
  streamTimeoutMs: 1_000,
  maxExchangeMs: 5_000,
  catchUpIntervalMs: 60_000,
  maxExchanges: 4,
  replicas: 2,
  l2ChainId: 6328270n,
  bootstrap: [],
};

export interface TestNodeInput {
  readonly seed: number;
  readonly registry: RegistryDouble;
  readonly options?: Partial<P2pOptions>;
  /** In the registry from the beginning. */
  readonly member?: boolean;
  /** Answers requests for cosignatures. */
  readonly witness?: P2pDeps['witness'];
  /** Serves the data of batches. */
  readonly batches?: NonNullable<P2pDeps['batches']>;
  /** Hears the moves of opponents. */
  readonly challenges?: NonNullable<P2pDeps['challenges']>;
  readonly onFalseBlock?: NonNullable<P2pDeps['onFalseBlock']>;
  /** As a node of the version before. */
  readonly withoutProofs?: boolean;
  /** A store in place of the doubles. */
  readonly store?: {
    readonly blocks: NonNullable<P2pDeps['blocks']>;
    readonly held: HeldBlocks;
    readonly shards?: HeldShards;
  };
  /** As a node of the version before. */
  readonly withoutReceipts?: boolean;
}

const silent = createLogger({ level: 'silent' });

/** Starts a node on a free port of the loopback, its addresses registered. */
export async function startNode(input: TestNodeInput): Promise<TestNode> {
  const seed = new Uint8Array(32).fill(input.seed);
  const peerId = await peerIdOfSeed(seed);
  if (input.member ?? true) input.registry.authorized.add(peerId);
  const chain = new ChainDouble();
  const held = new HeldDouble();
  const own = new Map<Cid, Uint8Array>();
  const metrics = new PromRegistry();
  const listeners = new Set<() => void>();
  const p2p = createP2p(
    { ...TEST_OPTIONS, ...input.options },
    {
      identitySeed: async () => seed,
      registry: input.registry,
      unsafe: chain,
      onHead: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      blocks: input.store?.blocks ?? { get: async (cid) => own.get(cid) },
      held: input.store?.held ?? held,
      ...(input.store?.shards !== undefined && { shards: input.store.shards }),
      ...(input.witness !== undefined && { witness: input.witness }),
      ...(input.batches !== undefined && { batches: input.batches }),
      ...(input.challenges !== undefined && { challenges: input.challenges }),
      ...(input.onFalseBlock !== undefined && { onFalseBlock: input.onFalseBlock }),
      ...(input.withoutProofs === true && { proofs: false }),
      ...(input.withoutReceipts === true && { receipts: false }),
      log: silent,
      metrics,
      now: () => performance.now(),
    },
  );
  await p2p.start(new AbortController().signal);
  input.registry.addresses.set(peerId, p2p.addresses());
  const head = (): void => {
    for (const listener of listeners) listener();
  };
  return { p2p, peerId, chain, held, own, metrics, head };
}

export function connected(a: TestNode, b: TestNode): boolean {
  return [a, b].every((node, index) => node.p2p.peers().some((peer) => peer.peerId === (index === 0 ? b : a).peerId));
}

/** Waits until the condition holds; a bounded number of looks, then an error that says what was waited for. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let look = 0; look < 400; look += 1) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`never saw: ${what}`);
}

export function blockWithCid(content: string, bytes = 64): { cid: Cid; bytes: Uint8Array } {
  const data = new TextEncoder().encode(content.padEnd(bytes, '#'));
  const digest = createHash('sha256').update(data).digest();
  return { cid: parseCid(Uint8Array.of(0x01, 0x55, 0x12, 0x20, ...digest)), bytes: data };
}
