export { type BackupKeys, type CopyStatement, createBackupKeys } from './backup-keys.ts';
export { type KeysConfig, keysConfig } from './config.ts';
export { defaultKeyFile } from './file-provider.ts';
export type { KeyPurpose } from './hierarchy.ts';
export { createIdentitySigner } from './identity-signer.ts';
export { createKeys, type KeyInfo, type Keys, type KeysDeps, type UnlockSecret } from './keys.ts';
export { nodeEnvelopeCrypto } from './node-envelope-crypto.ts';
export { createRootKey, type Enrolment, type RootKeyDeps } from './root-key.ts';
