import { Interface } from 'ethers';
import { Registry } from 'prom-client';
import type { AnchorDeps, RecordVersion } from '../../../../appliance/anchor/needs.ts';
import { createLogger, type Logger } from '../../../../appliance/telemetry/index.ts';
import { AuditAnchorAbi } from '../../../../contracts/generated/AuditAnchor.ts';
import { RecordRegistryAbi } from '../../../../contracts/generated/RecordRegistry.ts';
import type { Hex, RecordId, RootHash } from '../../../../protocol/brand.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import { PREDEPLOYS } from '../../../../protocol/rollup/genesis.ts';

const records = new Interface(RecordRegistryAbi);
const audit = new Interface(AuditAnchorAbi);
const OPERATOR: Hex = `0x${'ab'.repeat(20)}`;

interface Checkpoint {
  root: string;
  size: bigint;
  blockNumber: bigint;
  timestamp: bigint;
}

/** Both contracts, a mempool, and heads that a test moves. What the contracts refuse is counted as reverted. */
export class ChainDouble {
  readonly mempool: { to: Hex; data: Hex }[] = [];
  readonly roots = new Map<string, bigint>();
  readonly checkpoints: Checkpoint[] = [];
  head = 0n;
  safe = 0n;
  funds = 1n;
  sent = 0;
  current = true;
  reverted = 0;

  address(): Hex {
    return OPERATOR;
  }

  async balance(): Promise<bigint> {
    return this.funds;
  }

  async send(tx: { to: Hex; data: Hex }): Promise<Hex> {
    this.sent += 1;
    this.mempool.push(tx);
    return `0x${this.sent.toString(16).padStart(64, '0')}`;
  }

  safeBlock(): bigint {
    return this.safe;
  }

  isCurrent(): boolean {
    return this.current;
  }

  /** Puts the mempool into one block. */
  mine(): void {
    this.head += 1n;
    for (const { to, data } of this.mempool.splice(0)) {
      if (to === PREDEPLOYS.recordRegistry) this.#anchorRoot(records.decodeFunctionData('anchor', data));
      else this.#anchorCheckpoint(audit.decodeFunctionData('anchor', data));
    }
  }

  /** An unsafe block that L1 never saw: what was in it is gone. */
  dropTo(block: bigint): void {
    this.head = block;
    for (const [root, at] of this.roots) if (at > block) this.roots.delete(root);
    while ((this.checkpoints.at(-1)?.blockNumber ?? 0n) > block) this.checkpoints.pop();
  }

  async call({ to, data }: { to: Hex; data: Hex }): Promise<Hex> {
    if (to === PREDEPLOYS.recordRegistry) {
      const [, root] = records.decodeFunctionData('anchorOf', data);
      return records.encodeFunctionResult('anchorOf', [this.roots.get(root as string) ?? 0n]) as Hex;
    }
    const method = audit.parseTransaction({ data })?.name ?? '';
    const [, index] = audit.decodeFunctionData(method, data);
    if (method === 'checkpointCount') return audit.encodeFunctionResult(method, [this.checkpoints.length]) as Hex;
    const found = method === 'latest' ? this.checkpoints.at(-1) : this.checkpoints[Number(index)];
    const { root, size, blockNumber, timestamp } = found ?? {
      root: `0x${'00'.repeat(32)}`,
      size: 0n,
      blockNumber: 0n,
      timestamp: 0n,
    };
    return audit.encodeFunctionResult(method, [[root, size, blockNumber, timestamp, false]]) as Hex;
  }

  #anchorRoot([root]: readonly unknown[]): void {
    if (this.roots.has(root as string)) this.reverted += 1;
    else this.roots.set(root as string, this.head);
  }

  #anchorCheckpoint([, size, root]: readonly unknown[]): void {
    const last = this.checkpoints.at(-1);
    const checkpoint = { root: root as string, size: size as bigint, blockNumber: this.head, timestamp: 0n };
    if (last === undefined || checkpoint.size > last.size) this.checkpoints.push(checkpoint);
    else if (checkpoint.size < last.size || checkpoint.root !== last.root) this.reverted += 1;
  }
}

/** Records that a test adds, and which root each was marked with. */
export class RecordsDouble {
  readonly waiting = new Map<string, RecordVersion & { commitment: Uint8Array }>();
  readonly marked = new Map<string, string[]>();

  add(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const number = this.waiting.size + this.marked.size + 1;
      const recordId = number.toString(16).padStart(32, '0') as RecordId;
      this.waiting.set(`${recordId}/1`, { recordId, version: 1, commitment: new Uint8Array(32).fill(255 - number) });
    }
  }

  async unanchored(limit: number): Promise<(RecordVersion & { commitment: Uint8Array })[]> {
    return [...this.waiting.values()].slice(0, limit);
  }

  async markAnchored(
    items: readonly (RecordVersion & { commitment: Uint8Array })[],
    anchor: { root: string },
  ): Promise<void> {
    for (const { recordId, version, commitment } of items) {
      const key = `${recordId}/${version}`;
      const own = this.waiting.get(key);
      if (own !== undefined && Buffer.compare(own.commitment, commitment) !== 0) continue;
      if (own === undefined && !this.marked.has(key)) continue;
      this.waiting.delete(key);
      this.marked.set(key, [...(this.marked.get(key) ?? []), anchor.root]);
    }
  }
}

/** A log of which only size and root are seen. */
export class AuditDouble {
  size = 0;
  fork = '';
  /** Sizes of the heads that it was told of. */
  readonly told: number[] = [];

  treeHead(): { size: number; root: RootHash } {
    return { size: this.size, root: this.#rootAt(this.size) };
  }

  async checkpoint(): Promise<{ size: number; root: RootHash; note: string }> {
    return { ...this.treeHead(), note: `note of ${this.size}` };
  }

  /** As the log does: by root, at the head's own size. */
  async witnessed(head: { size: number; root: RootHash; where: string }): Promise<void> {
    const { size, where } = head;
    if (size > this.size) throw new NectarError('AUDIT_TRUNCATED', { size: this.size, expected: size, where });
    if (head.root !== this.#rootAt(size)) throw new NectarError('AUDIT_FORKED', { size, where });
    this.told.push(size);
  }

  heard = 0;

  async chainHeard(): Promise<void> {
    this.heard++;
  }

  #rootAt(size: number): RootHash {
    return Buffer.from(`${this.fork}${size}`.padEnd(32, '.')).toString('hex') as RootHash;
  }
}

export interface World {
  readonly chain: ChainDouble;
  readonly records: RecordsDouble;
  readonly audit: AuditDouble;
  readonly clock: { now: number };
  readonly membership: { authorized: boolean; announced: boolean };
  readonly errors: string[];
}

export function createWorld(): World {
  return {
    chain: new ChainDouble(),
    records: new RecordsDouble(),
    audit: new AuditDouble(),
    clock: { now: 1_000_000 },
    membership: { authorized: true, announced: false },
    errors: [],
  };
}

export function depsOf(world: World): AnchorDeps {
  return {
    records: world.records,
    audit: world.audit,
    chain: world.chain,
    isAuthorized: async () => world.membership.authorized,
    isAnnounced: async () => world.membership.announced,
    peerId: () => peerIdOf(new Uint8Array(32).fill(3)),
    log: collecting(world.errors),
    metrics: new Registry(),
    now: () => world.clock.now,
  };
}

function collecting(errors: string[]): Logger {
  const silent = createLogger({ level: 'silent' });
  const log: Logger = {
    ...silent,
    error: (_data: unknown, message?: string) => void errors.push(String(message)),
    warn: () => {},
    info: () => {},
    debug: () => {},
    child: () => log,
  };
  return log;
}
