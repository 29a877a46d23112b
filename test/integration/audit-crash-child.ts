/** Appends until it is killed; prints each acknowledged leaf as `index leafHash`. Started by audit-crash.test.ts. */
import { randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { createAudit } from '../../appliance/audit/index.ts';
import { createLogger, createMetrics } from '../../appliance/telemetry/index.ts';

const [folder = '', concurrency = '8'] = process.argv.slice(2);
const seed = new Uint8Array(32).fill(5);
const audit = createAudit(
  {
    folder,
    origin: 'nectar.example/crash',
    config: { checkpointEveryLeaves: 100, retentionDays: 0, maxPendingAppends: 4096, maxBodyBytes: 65_536 },
  },
  {
    keys: { derive: () => new Uint8Array(32).fill(9) },
    signer: { publicKey: ed25519.getPublicKey(seed), sign: (bytes) => ed25519.sign(bytes, seed) },
    log: createLogger({ level: 'silent' }),
    metrics: createMetrics(),
    now: Date.now,
    randomBytes,
  },
);
await audit.start(new AbortController().signal);
if (!audit.readiness().ready) throw new Error(JSON.stringify(audit.readiness()));

async function appendForever(client: number): Promise<never> {
  for (let i = 0; ; i++) {
    const { index, leafHash } = await audit.append({
      type: 'record.read',
      outcome: 'success',
      context: { actor: { subject: `client-${client}` }, requestId: String(i) },
    });
    process.stdout.write(`${index} ${leafHash}\n`);
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, (_, client) => appendForever(client)));
