import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Value } from 'typebox/value';
import { type Audit, auditConfig, createAudit } from '../../appliance/audit/index.ts';
import { createMetrics } from '../../appliance/telemetry/index.ts';
import { ORIGIN, SEED } from '../unit/appliance/audit/log-house.ts';
import { log } from './crossing-house.ts';

/** A log for a whole suite, in a folder of its own. */
export interface StandingLog {
  readonly audit: Audit;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function createStandingLog(): Promise<StandingLog> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-standing-log-'));
  let clock = Date.UTC(2026, 10, 23, 6);
  const make = (): Audit =>
    createAudit(
      { folder: join(folder, 'audit'), origin: ORIGIN, config: Value.Create(auditConfig) },
      {
        keys: { derive: () => new Uint8Array(32).fill(9) },
        signer: { publicKey: ed25519.getPublicKey(SEED), sign: (bytes) => ed25519.sign(bytes, SEED) },
        log,
        metrics: createMetrics(),
        now: () => clock++,
        randomBytes: (length) => new Uint8Array(randomBytes(length)),
      },
    );
  const signal = new AbortController().signal;
  let audit = make();
  await audit.start(signal);
  return {
    get audit() {
      return audit;
    },
    async restart() {
      await audit.stop();
      audit = make();
      await audit.start(signal);
    },
    async close() {
      await audit.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
