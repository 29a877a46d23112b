import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokens, type Tokens } from '../../appliance/gateway/index.ts';
import {
  type BackupKeys,
  byPassphrase,
  createBackupKeys,
  createIdentitySigner,
  createKeys,
  createRootKey,
  type Keys,
  nodeEnvelopeCrypto,
} from '../../appliance/keys/index.ts';
import { createMetrics } from '../../appliance/telemetry/index.ts';
import { log } from './crossing-house.ts';

export const PASSPHRASE = 'correct horse battery staple';
export const NODE_ID = 'ffeeddccbbaa99887766554433221100';

type Signer = { sign(input: Uint8Array): Promise<Uint8Array> };

/** Real keys in a folder of their own, locked, with a sealed token key. */
export interface StandingKeys {
  readonly keys: Keys;
  readonly tokenSigner: Signer;
  /** Statements of backups, signed by `checkpointKey`. */
  readonly backups: BackupKeys;
  readonly checkpointKey: KeyObject;
  openTokens(signer: Signer): Promise<Tokens>;
  close(): Promise<void>;
}

export async function createStandingKeys(): Promise<StandingKeys> {
  const home = await mkdtemp(join(tmpdir(), 'nectar-standing-keys-'));
  const deps = { crypto: nodeEnvelopeCrypto, now: () => new Date(), randomBytes: (n: number) => randomBytes(n) };
  const passphrase = Buffer.from(PASSPHRASE);
  await createRootKey({ home, enroll: [byPassphrase(passphrase)] }, deps);
  const make = (): Keys =>
    createKeys(
      { home, keyFile: '', unlockDelayMs: 0, unlockDelayMaxMs: 0 },
      { ...deps, log, metrics: createMetrics(), sleep: async () => undefined },
    );
  const pair = generateKeyPairSync('ed25519');
  const sealing = make();
  await sealing.start(new AbortController().signal);
  await sealing.unlock({ provider: 'passphrase', passphrase: Buffer.from(PASSPHRASE) });
  await sealing.sealIdentity('token', pair.privateKey.export({ format: 'der', type: 'pkcs8' }));
  const checkpoint = generateKeyPairSync('ed25519');
  await sealing.sealIdentity('checkpoint', checkpoint.privateKey.export({ format: 'der', type: 'pkcs8' }));
  await sealing.stop();
  const keys = make();
  await keys.start(new AbortController().signal);
  const publicJwk = { kty: 'OKP', crv: 'Ed25519', x: pair.publicKey.export({ format: 'jwk' }).x ?? '' } as const;
  return {
    keys,
    tokenSigner: createIdentitySigner(keys, 'token'),
    backups: createBackupKeys(
      { nodeId: NODE_ID },
      { keys, signer: createIdentitySigner(keys, 'checkpoint'), crypto: nodeEnvelopeCrypto },
    ),
    checkpointKey: checkpoint.publicKey,
    openTokens: (signer) =>
      createTokens(
        { path: join(home, 'tokens.json'), nodeId: NODE_ID, publicJwk },
        { signer, now: Date.now, randomBytes },
      ),
    async close() {
      await keys.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
