export { nodeEnvelopeCrypto } from '../node-envelope-crypto.ts';
export { type BackupKeys, type CopyStatement, createBackupKeys } from './backup-keys.ts';
export { type KeysConfig, keysConfig } from './config.ts';
export {
  type AdoptableKeys,
  adoptKeys,
  findAdoptable,
  holdsKeys,
  makeKeys,
  type OnStep,
} from './first-keys.ts';
export { createKeyFreshness, type KeyEvidence } from './freshness.ts';
export type { KeyContradiction } from './held-files.ts';
export type { KeyPurpose } from './hierarchy.ts';
export { createIdentitySigner } from './identity-signer.ts';
export type { Keys, KeysDeps } from './interfaces.ts';
export type { KeyInfo, ProviderInfo } from './key-list.ts';
export { checkKeyStore } from './key-store-file.ts';
export { createKeys } from './keys.ts';
export { createIdentities, type MadeIdentity } from './node-identity.ts';
export type { UnlockSecret } from './open-root-key.ts';
export { defaultKeyFile } from './providers/file.ts';
export { PROVIDERS } from './providers/registry.ts';
export { byKeyFile, byPassphrase, createRootKey, type Enrolment, type RootKeyDeps } from './root-key.ts';
export type { ReplacedRoot, RootWanted } from './root-replacement.ts';
export { runTool } from './run-tool.ts';
