import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Value } from 'typebox/value';
import {
  type Audit,
  type AuditDeps,
  type AuditInput,
  type AuditOptions,
  auditConfig,
  createAudit,
} from '../../../../appliance/audit/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';

/** A log in a temporary folder, with a fixed key, a clock that the test turns and bytes that count up. */
export interface LogHouse {
  readonly folder: string;
  readonly bodyKey: Uint8Array;
  /** A service over the folder; each call is another process as far as the log can tell. */
  create(options?: Partial<AuditOptions>, deps?: Partial<AuditDeps>): Audit;
  /** A service that is started, and stopped after the test. */
  open(options?: Partial<AuditOptions>, deps?: Partial<AuditDeps>): Promise<Audit>;
  clock: number;
}

export const ORIGIN = 'nectar.example/node/0011';
export const SEED = new Uint8Array(32).fill(5);

export async function createLogHouse(t: TestContext): Promise<LogHouse> {
  const folder = join(await mkdtemp(join(tmpdir(), 'nectar-audit-')), 'audit');
  const bodyKey = new Uint8Array(32).fill(9);
  const opened: Audit[] = [];
  t.after(async () => {
    for (const audit of opened) await audit.stop();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });
  let count = 0;
  const house: LogHouse = {
    folder,
    bodyKey,
    clock: Date.UTC(2026, 10, 23, 6),
    create: (options, deps) =>
      createAudit(
        { folder, origin: ORIGIN, config: Value.Create(auditConfig), ...options },
        {
          keys: { derive: () => bodyKey.slice() },
          signer: { publicKey: ed25519.getPublicKey(SEED), sign: (bytes) => ed25519.sign(bytes, SEED) },
          log: createLogger({ level: 'silent' }),
          metrics: createMetrics(),
          now: () => house.clock++,
          randomBytes: (length) =>
            Uint8Array.from(createHash('shake256', { outputLength: length }).update(String(count++)).digest()),
          ...deps,
        },
      ),
    async open(options, deps) {
      const audit = house.create(options, deps);
      opened.push(audit);
      await audit.start(new AbortController().signal);
      return audit;
    },
  };
  return house;
}

export const PATIENT = 'Jane-Q-Canary';

export function reading(i: number, type = 'record.read'): AuditInput {
  return {
    type,
    outcome: 'success',
    context: {
      actor: { subject: PATIENT, tokenId: 'token-canary', name: 'Dr. Canary' },
      address: '192.0.2.7',
      requestId: `request-${i}`,
    },
    recordId: `rec${String(i).padStart(29, '0')}`,
    version: 1,
    detail: { cid: `bafy${i}`, purpose: 'treatment-canary' },
  };
}

/** Appends `count` events at once, so that they share groups. */
export async function appendMany(
  audit: Audit,
  count: number,
  from = 0,
): Promise<{ index: number; leafHash: string }[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => audit.append(reading(from + i))));
}
