import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Custody, createCustody } from '../../appliance/custody/index.ts';
import { createMetrics } from '../../appliance/telemetry/index.ts';

/** A folder, and services that keep repositories in it, one after the other. */
export function createCustodyFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-custody-'));
  const limits = { maxBytes: 2_000_000, maxRepositories: 3 };
  const config = { maxBytesPerRepository: limits.maxBytes, maxRepositories: limits.maxRepositories, minFreeBytes: 0 };
  return {
    limits,
    open: (): Custody =>
      createCustody({ folder: join(folder, 'store', 'custody'), config }, { metrics: createMetrics(), now: Date.now }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
