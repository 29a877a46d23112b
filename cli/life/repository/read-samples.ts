import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { createAudit } from '../../../appliance/audit/index.ts';
import { loadConfig, readPublicIdentity } from '../../../appliance/config/index.ts';
import { createIdentitySigner, type Keys, nodeEnvelopeCrypto } from '../../../appliance/keys/index.ts';
import { IDENTITIES } from '../../../appliance/keys/node-identity.ts';
import type { Service } from '../../../appliance/service.ts';
import { cidDigest } from '../../../appliance/store/cid.ts';
import { createStore, type Store } from '../../../appliance/store/index.ts';
import { findIndexSecret } from '../../../appliance/store/index-secret.ts';
import { sampleVersions } from '../../../appliance/store/sample-versions.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import type { Cid } from '../../../protocol/brand.ts';
import { isNectarError, type NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { checked } from './open-repository.ts';
import type { Target } from './target.ts';

const CONTEXT = { actor: { subject: 'system:backup-verify' }, requestId: 'backup-verify' };

export interface ReadSamples {
  /** A restored home that nobody else has open, and that is thrown away afterwards. */
  readonly home: string;
  readonly keys: Keys;
  /** Where blocks are that the restore left out. */
  readonly target: Target;
  readonly count: number;
  readonly signal: AbortSignal;
}

export interface ReadRecords {
  readonly records: number;
  readonly bytes: number;
  readonly entries: number;
  readonly faults: readonly string[];
}

/** Opens the restored index whole, and reads some records through the store, as a node would. */
export async function readSamples(request: ReadSamples): Promise<ReadRecords> {
  const { home, keys, count, signal } = request;
  const random = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(length));
  const folder = join(home, 'store', 'index');
  const crypto = nodeEnvelopeCrypto;
  const indexKey = await findIndexSecret(folder, keys, crypto);
  const sampled = await sampleVersions({
    folder,
    indexKey,
    crypto,
    randomBytes: random,
    count,
    pick: randomInt,
  }).finally(() => indexKey.fill(0));
  const faults = sampled.broken === 0 ? [] : [`${sampled.broken} entries of the index do not open`];
  const { services, store } = openStore(request, random);
  const started: Service[] = [];
  let [records, bytes] = [0, 0];
  try {
    for (const service of services) {
      await service.start(signal);
      started.push(service);
    }
    for (const { recordId, version } of sampled.versions) {
      signal.throwIfAborted();
      try {
        const { body } = await store.open(recordId, { version }, CONTEXT, signal);
        for await (const part of body) bytes += part.length;
        records += 1;
      } catch (error) {
        signal.throwIfAborted();
        faults.push(faultOf(error, `version ${version} of record ${recordId}`));
      }
    }
  } finally {
    for (const service of started.toReversed()) await service.stop();
  }
  return { records, bytes, entries: sampled.entries, faults };
}

function faultOf(error: unknown, what: string): string {
  if (!isNectarError(error)) throw error;
  return `${what}: ${(error as NectarError).message}`;
}

function openStore(
  { home, keys, target, signal }: ReadSamples,
  random: (length: number) => Uint8Array,
): { readonly services: readonly Service[]; readonly store: Store } {
  const { nodeId, checkpointVkey } = readPublicIdentity(home);
  const { config } = loadConfig({ home });
  const { name: origin, publicKey } = parseVerifierKey(checkpointVkey);
  const signer = { ...createIdentitySigner(keys, IDENTITIES.checkpoint), publicKey };
  const log = createLogger({ level: 'silent' });
  const audit = createAudit(
    { folder: join(home, 'audit'), origin, config: config.audit },
    { keys, signer, log, metrics: createMetrics(), now: Date.now, randomBytes: random },
  );
  const store = createStore(
    { ...config.store, home, nodeId, minFreeBytes: 0 },
    {
      ...{ crypto: nodeEnvelopeCrypto, keys, audit, evidence: audit, signer, log },
      metrics: createMetrics(),
      // What was not fetched whole is fetched when the store misses it, and checked like a peer's.
      replicas: { fetch: (_, cid) => fetchBlock(target, cid, signal) },
      now: () => new Date(),
      randomBytes: random,
    },
  );
  return { services: [audit, store], store };
}

async function fetchBlock(target: Target, cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of checked(target, cidDigest(cid))) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
