import { createHash } from 'node:crypto';
import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';
import type { KeptRepository } from './interfaces.ts';

const PSEUDONYM_CHARS = 12;

/** Owners are named by a pseudonym: their names are those of clinics, and metrics go further than this machine. */
export function ownerPseudonym(owner: string): string {
  return createHash('sha256').update(owner).digest('hex').slice(0, PSEUDONYM_CHARS);
}

export function createCustodyMetrics(
  registry: Metrics,
  of: { readonly repositories: () => Promise<readonly KeptRepository[]>; readonly quota: number; now(): number },
): { readonly refused: Counter<'code'> } {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (one: KeptRepository) => number | undefined): void => {
    new Gauge({
      name: `nectar_custody_${name}`,
      help,
      labelNames: ['owner'],
      registers,
      async collect() {
        const values = (await of.repositories().catch(() => [])).map((one) => [ownerPseudonym(one.owner), read(one)]);
        this.reset();
        for (const [owner, value] of values as [string, number | undefined][])
          if (value !== undefined) this.set({ owner }, value);
      },
    });
  };
  gauge(
    'held_bytes',
    'Bytes kept of the backup repository of another node, by pseudonym of its owner.',
    (one) => one.bytes,
  );
  gauge('snapshot_age_seconds', 'Age of the newest snapshot in it, as its owner signed it.', ({ snapshotAt }) =>
    snapshotAt === '' ? undefined : Math.max(0, (of.now() - Date.parse(snapshotAt)) / 1000),
  );
  new Gauge({
    name: 'nectar_custody_quota_bytes',
    help: 'Most bytes that are kept of one repository.',
    registers,
  }).set(of.quota);
  const refused = new Counter({
    name: 'nectar_custody_refused_total',
    help: 'What owners brought, or wanted removed, and was refused, by code.',
    labelNames: ['code'],
    registers,
  });
  return { refused };
}
