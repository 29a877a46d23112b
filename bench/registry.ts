/**
 * CPU of this process for one L2 head, with a NodeRegistry of 1,000 entries of which one connects: what the registry reads, and a look of
 * the dialer. `same`: the head leaves the registry as it is; `changed`: one entry of it changed; `first`: after a start. The answers of
 * the contract are at hand: its execution, which runs in a thread, is not in the figures. `npm run bench -- registry`.
 */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexlify, ZeroHash } from 'ethers';
import { createAdmission } from '../appliance/p2p/admission.ts';
import { createDialer } from '../appliance/p2p/dialer.ts';
import { createP2pMetrics } from '../appliance/p2p/metrics.ts';
import { createNodeRegistry, NODE_REGISTRY } from '../appliance/rollup/registry/node-registry.ts';
import { createLogger, createMetrics } from '../appliance/telemetry/index.ts';
import type { Hex, PeerIdText } from '../protocol/brand.ts';
import { encodePeerId, peerIdOf } from '../protocol/network/node-identity.ts';
import { signNodeStatement } from '../protocol/network/node-statement.ts';
import { TEST_OPTIONS } from '../test/unit/appliance/p2p/hosts.ts';

const ENTRIES = 1_000;
const HEADS = 50;
const PAGE = 50;
const ACTIVE = 2;
const CHAIN = 7n;
const OWNER: Hex = `0x${'a1'.repeat(20)}`;

interface Entry {
  readonly peerId: PeerIdText;
  readonly struct: Record<string, unknown>;
}

function entryOf(n: number): Entry {
  const seed = Uint8Array.from(createHash('sha256').update(`node ${n}`).digest());
  const peerId = peerIdOf(ed25519.getPublicKey(seed));
  const struct = {
    peerId: hexlify(encodePeerId(peerId)),
    addresses: [`/ip4/10.${n >> 8}.${n & 255}.1/tcp/4640`],
    ...{ owner: OWNER, operator: OWNER, kind: 1, status: ACTIVE, auditor: OWNER },
    ...{ appliedAt: 0, attestedAt: 0, validUntil: 2_000_000_000, ejectedAt: 0, appealedAt: 0 },
    ...{ depositWei: 0, evidence: ZeroHash, attestation: ZeroHash },
    statement: signNodeStatement({ l2ChainId: CHAIN, owner: OWNER, operator: OWNER }, seed),
  };
  return { peerId, struct };
}

/** All of it, or again what an entry is in. */
function encodeChain(entries: readonly Entry[], answers: Map<string, Hex>, changed?: number): void {
  const keep = (name: string, args: readonly unknown[], value: unknown): void =>
    void answers.set(
      NODE_REGISTRY.encodeFunctionData(name, args),
      NODE_REGISTRY.encodeFunctionResult(name, [value]) as Hex,
    );
  keep('memberCount', [], entries.length);
  for (let offset = 0; offset < entries.length; offset += PAGE) {
    if (changed !== undefined && Math.floor(changed / PAGE) * PAGE !== offset) continue;
    keep(
      'membersPaged',
      [offset, PAGE],
      entries.slice(offset, offset + PAGE).map(({ struct }) => struct),
    );
  }
  for (const [n, { struct }] of entries.entries())
    if (changed === undefined || changed === n) keep('nodeOf', [struct.peerId], struct);
}

export async function run(): Promise<void> {
  const entries = Array.from({ length: ENTRIES }, (_, n) => entryOf(n));
  const self = entries[0]?.peerId ?? ('' as PeerIdText);
  const living = entries[500]?.peerId ?? ('' as PeerIdText);
  const state = { answers: new Map<string, Hex>(), head: 0, root: 0, now: 0 };
  encodeChain(entries, state.answers);
  const hex = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  const registry = createNodeRegistry(
    { l2ChainId: CHAIN },
    {
      head: () => ({ hash: hex(state.head), timestamp: BigInt(1_000 + state.head) }),
      storageRoot: async () => hex(state.root),
      call: async (_to, data) => state.answers.get(data) ?? Promise.reject(new Error('no answer at hand')),
    },
  );
  const connected = new Set<string>();
  const [log, metrics] = [createLogger({ level: 'silent' }), createP2pMetrics(createMetrics())];
  const admission = createAdmission(new Set(), { registry, log, metrics, now: () => state.now });
  const dialer = createDialer(
    { ...TEST_OPTIONS, dialBackoffMinMs: 1_000, dialBackoffMaxMs: 60_000, maxOutbound: 16 },
    {
      ...{ self, bootstrap: [], registry, admission, log, metrics, now: () => state.now },
      connected: () => connected,
      async dial([address]) {
        const id = String(address).split('/p2p/')[1] ?? '';
        if (id !== living) throw new Error('unreachable');
        connected.add(id);
      },
    },
  );
  const signal = new AbortController().signal;
  /** A head, as p2p takes it, and the look of the dialer that falls on it: more than there are, since a look comes every 5 s. */
  async function head(): Promise<number> {
    state.head += 1;
    state.now += 2_000;
    const before = process.cpuUsage();
    admission.forget();
    for (const peerId of connected) await admission.isAdmitted(peerId);
    await dialer.tick(signal);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  const worst = (values: readonly number[]): number => Math.max(...values);
  const show = (name: string, values: readonly number[]): void => {
    const figures = { median: Math.round(median(values) * 10) / 10, worst: Math.round(worst(values) * 10) / 10 };
    process.stdout.write(
      `${JSON.stringify({ name: `registry/${name}`, unit: 'ms CPU a head', entries: ENTRIES, ...figures })}\n`,
    );
  };
  show('first', [await head()]);
  for (let n = 0; n < HEADS; n += 1) await head();
  const same: number[] = [];
  for (let n = 0; n < HEADS; n += 1) same.push(await head());
  show('same', same);
  const changed: number[] = [];
  for (let n = 0; n < HEADS; n += 1) {
    const entry = entries[1 + n] ?? entryOf(n);
    entry.struct.validUntil = 2_000_000_001 + n;
    encodeChain(entries, state.answers, 1 + n);
    state.root += 1;
    changed.push(await head());
  }
  show('changed', changed);
  if (!connected.has(living)) throw new Error('the living peer was never dialled');
}
