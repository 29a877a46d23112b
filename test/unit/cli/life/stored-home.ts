import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { auditConfig } from '../../../../appliance/audit/config.ts';
import { createAudit } from '../../../../appliance/audit/index.ts';
import { readPublicIdentity } from '../../../../appliance/config/index.ts';
import { byKeyFile, createIdentitySigner, nodeEnvelopeCrypto } from '../../../../appliance/keys/index.ts';
import type { Service } from '../../../../appliance/service.ts';
import { storeConfig } from '../../../../appliance/store/config.ts';
import { createStore, type RekeyState, type Store } from '../../../../appliance/store/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { createHome } from '../../../../cli/provision/process/create-home.ts';
import { openKeys } from '../../../../cli/provision/process/open-keys.ts';
import { parseVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';

export const NOW = Date.UTC(2026, 10, 23);
const { signal } = new AbortController();
const context = { actor: { subject: 'tester' }, requestId: 'r' };

/** The stores of a real home, opened in this process: what a node holds open while it runs. */
export interface StoredHome {
  readonly store: Store;
  put(body: Uint8Array): Promise<string>;
  get(id: string): Promise<Buffer>;
  /** Begins to seal every record anew, at this load. */
  rekey(load: number): Promise<RekeyState>;
  stop(): Promise<void>;
}

export async function makeHome(folder: string, name: string): Promise<string> {
  const home = join(folder, name);
  await createHome(
    {
      home,
      enrol: byKeyFile(join(folder, `${name}.key`)),
      config: { version: 1, keys: { keyFile: join(folder, `${name}.key`) } },
      descriptor: Buffer.from('{}\n'),
      names: ['node.clinic.example'],
      signal,
      now: () => NOW,
    },
    () => undefined,
  );
  return home;
}

export async function openHome(home: string, keyFile: string): Promise<StoredHome> {
  const keys = await openKeys({ home, keyFile, now: () => NOW, signal });
  const { nodeId, checkpointVkey } = readPublicIdentity(home);
  const key = parseVerifierKey(checkpointVkey);
  const shared = {
    keys,
    signer: { ...createIdentitySigner(keys, 'checkpoint'), publicKey: key.publicKey },
    log: createLogger({ level: 'silent' }),
    metrics: createMetrics(),
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
  };
  const audit = createAudit(
    { folder: join(home, 'audit'), origin: key.name, config: Value.Default(auditConfig, {}) as never },
    { ...shared, now: () => Date.now() },
  );
  const store = createStore({ ...(Value.Default(storeConfig, {}) as object), home, nodeId, minFreeBytes: 0 } as never, {
    ...shared,
    metrics: createMetrics(),
    crypto: nodeEnvelopeCrypto,
    audit,
    evidence: audit,
    now: () => new Date(),
  });
  const services: Service[] = [audit, store];
  for (const service of services) await service.start(signal);
  return {
    store,
    async put(body) {
      const input = { contentType: 'application/octet-stream', labels: [] };
      return (await store.put(input, chunks(body), context, signal)).recordId;
    },
    async get(id) {
      const { body } = await store.open(id as never, {}, context, signal);
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(Buffer.from(part));
      return Buffer.concat(parts);
    },
    async rekey(load) {
      const { to } = await keys.rotate();
      return store.rekey({ target: to, load }, context);
    },
    async stop() {
      for (const service of services.toReversed()) await service.stop();
      await keys.stop();
    },
  };
}

async function* chunks(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 65_536) yield body.slice(at, at + 65_536);
}
