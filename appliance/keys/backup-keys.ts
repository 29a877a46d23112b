import { encodeSnapshotStatement, type SnapshotStatement } from '../../protocol/backup/snapshot-statement.ts';
import { type BackupStatement, encodeStatement } from '../../protocol/backup/statement.ts';
import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { IdentitySigner } from './identity-signer.ts';
import type { Keys } from './interfaces.ts';

/** What a node says of a copy of itself, without its own id, which the signer adds. */
export type CopyStatement =
  | ({ readonly kind: 'file' } & Omit<BackupStatement, 'nodeId'>)
  | ({ readonly kind: 'snapshot' } & Omit<SnapshotStatement, 'nodeId'>);

/** What backups need of the keys while the node runs, so that whoever makes one types no passphrase. */
export interface BackupKeys {
  /** Ed25519 by the checkpoint key over a statement that is spelled out here: it can be taken for nothing else. KEY_LOCKED. */
  sign(statement: CopyStatement): Promise<Uint8Array>;
  /** 32 bytes that seal the metadata of one repository, and open nothing that is kept in the node. KEY_LOCKED. */
  repositoryKey(repository: string): Promise<Uint8Array>;
}

export interface BackupKeysDeps {
  readonly keys: Pick<Keys, 'derive'>;
  readonly signer: IdentitySigner;
  readonly crypto: EnvelopeCrypto;
}

export function createBackupKeys({ nodeId }: { readonly nodeId: string }, deps: BackupKeysDeps): BackupKeys {
  const { keys, signer, crypto } = deps;
  return {
    async sign({ kind, ...statement }) {
      const text =
        kind === 'file'
          ? encodeStatement({ nodeId, ...(statement as Omit<BackupStatement, 'nodeId'>) })
          : encodeSnapshotStatement({ nodeId, ...(statement as Omit<SnapshotStatement, 'nodeId'>) });
      return signer.sign(Buffer.from(text));
    },
    async repositoryKey(repository) {
      if (!/^[0-9a-f]{32}$/.test(repository))
        throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'the id of its repository is malformed' });
      const secret = keys.derive('backup');
      try {
        return crypto.hkdf(secret, new Uint8Array(0), Buffer.from(`nectar/backup/${repository}/1`), KEY_BYTES);
      } finally {
        secret.fill(0);
      }
    },
  };
}
