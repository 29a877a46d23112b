/**
 * Audit appends a second, whole: FHIR body, salted hash, leaf, seal, tree, one write and fsync a group.
 * The limit of the same run is the disk itself: writes of as many equal bytes, in groups of the same size, each with its fsync, and
 * nothing else. `fsync-each` shows what sharing an fsync is worth.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Value } from 'typebox/value';
import { type Audit, type AuditInput, auditConfig, createAudit } from '../appliance/audit/index.ts';
import { createLogger, createMetrics } from '../appliance/telemetry/index.ts';

const RUNS = [
  { concurrency: 64, appends: 24_000 },
  { concurrency: 1, appends: 1_200 },
] as const;
/** Ours and the peers take turns, so that whatever else the disk is doing meets them alike. */
const ROUNDS = 6;

const EVENT: AuditInput = {
  type: 'record.read',
  outcome: 'success',
  context: {
    actor: { subject: 'clinician@example', tokenId: '3f6c1d2e9a', name: 'Practitioner' },
    address: '192.0.2.10',
    requestId: 'a0b1c2d3e4f5',
  },
  recordId: '00112233445566778899aabbccddeeff',
  version: 3,
  detail: { cid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' },
};

export async function run(): Promise<void> {
  for (const { concurrency, appends } of RUNS) {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-bench-audit-'));
    try {
      await benchmark({ folder, concurrency, appends });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function benchmark({
  folder,
  concurrency,
  appends,
}: {
  folder: string;
  concurrency: number;
  appends: number;
}): Promise<void> {
  const metrics = createMetrics();
  const audit = await openAudit(join(folder, 'audit'), metrics);
  await appendAll(audit, concurrency, concurrency * 16); // warm the code, not the figures
  const total = { ours: 0, limit: 0, alone: 0, groups: 0 };
  const perRound = appends / ROUNDS;
  const aloneCount = Math.min(perRound, 200);
  for (let round = 0; round < ROUNDS; round++) {
    const before = await counters(metrics);
    total.ours += await secondsOf(() => appendAll(audit, concurrency, perRound));
    const after = await counters(metrics);
    const [bytes, groups] = [after.bytes - before.bytes, after.groups - before.groups];
    total.groups += groups;
    total.limit += await secondsOf(() => writeGroups(join(folder, `limit-${round}`), bytes, groups));
    total.alone += await secondsOf(() =>
      writeGroups(join(folder, `alone-${round}`), (bytes * aloneCount) / perRound, aloneCount),
    );
  }
  await audit.stop();
  const ours = { name: 'audit', ours: appends / total.ours, concurrency, perGroup: appends / total.groups } as const;
  print({ ...ours, peer: appends / total.limit, peerName: 'write+fsync of the same bytes in the same groups' });
  if (concurrency > 1)
    print({ ...ours, peer: (aloneCount * ROUNDS) / total.alone, peerName: 'write+fsync of each entry alone' });
}

async function openAudit(folder: string, metrics: ReturnType<typeof createMetrics>): Promise<Audit> {
  const seed = randomBytes(32);
  const audit = createAudit(
    { folder, origin: 'nectar.bench/node', config: Value.Create(auditConfig) },
    {
      keys: { derive: () => new Uint8Array(32).fill(1) },
      signer: { publicKey: ed25519.getPublicKey(seed), sign: (bytes) => ed25519.sign(bytes, seed) },
      log: createLogger({ level: 'error' }),
      metrics,
      now: Date.now,
      randomBytes,
    },
  );
  await audit.start(new AbortController().signal);
  return audit;
}

async function appendAll(audit: Audit, concurrency: number, count: number): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) await audit.append(EVENT);
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

async function counters(metrics: ReturnType<typeof createMetrics>): Promise<{ bytes: number; groups: number }> {
  const [bytes, groups] = await Promise.all([
    metrics.getSingleMetric('nectar_audit_written_bytes_total')?.get(),
    metrics.getSingleMetric('nectar_audit_group_leaves')?.get(),
  ]);
  const count = groups?.values.find(
    (value) => 'metricName' in value && value.metricName === 'nectar_audit_group_leaves_count',
  );
  return { bytes: bytes?.values[0]?.value ?? 0, groups: count?.value ?? 0 };
}

async function writeGroups(path: string, bytes: number, groups: number): Promise<void> {
  const group = randomBytes(Math.max(1, Math.round(bytes / groups)));
  const file = await open(path, 'w');
  for (let i = 0; i < groups; i++) {
    await file.write(group, 0, group.length, i * group.length);
    await file.datasync();
  }
  await file.close();
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

interface Figure {
  readonly name: 'audit';
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly concurrency: number;
  readonly perGroup: number;
}

/** Appends a second, and the ratio of ours to the peer's. */
function print({ ours, peer, perGroup, ...rest }: Figure): void {
  const figure = {
    ...rest,
    unit: 'appends/s',
    ours: Math.round(ours),
    peer: Math.round(peer),
    ratio: Number((ours / peer).toFixed(3)),
    perGroup: Number(perGroup.toFixed(1)),
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}
