import { readPublicIdentity } from '../../appliance/config/index.ts';
import {
  BackupOverview,
  type CopyStatement,
  RepositoryKeyAnswer,
  SignedCopy,
} from '../../appliance/gateway/backup-schemas.ts';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { createBackupKeys, createIdentitySigner, nodeEnvelopeCrypto } from '../../appliance/keys/index.ts';
import { IDENTITIES } from '../../appliance/keys/node-identity.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Client } from '../client.ts';
import { openNodeClient } from '../node-client.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { withSealedFiles } from './sealed-files.ts';
import { unlockKeys } from './unlock-keys.ts';

const PROBE_MS = 10_000;

export interface Signed {
  readonly signature: Uint8Array;
  /** Of the log that says so already; undefined: it has still to be told. */
  readonly auditLeaf: number | undefined;
}

/** Who signs a backup, and hands out the key of its repository. */
export interface BackupAuthority {
  sign(statement: CopyStatement): Promise<Signed>;
  repositoryKey(repository: string): Promise<Uint8Array>;
  /** The newest generation that the node has on record of it; undefined where there is none, or no node that could be asked. */
  generationOnRecord(repository: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface OpenAuthority {
  readonly home: string;
  /** Where keys.json and the sealed identities are; of a node in one folder its home. */
  readonly sealed: string;
  readonly terminal: Terminal;
  /** Given: the keys are opened here, and the node is not asked. */
  readonly passphraseFile: string | undefined;
}

/**
 * The running, unlocked node signs for itself: nobody types a passphrase, and the log says so at once. Of a node that is down or locked,
 * or runs another version of the program, the keys are opened here.
 */
export async function openAuthority(request: OpenAuthority): Promise<BackupAuthority> {
  return (await findNodeAuthority(request)) ?? (await openByKeys(request));
}

/** For as long as `work` takes, wherever the sealed files of the node are: those in volumes are staged only when they are needed. */
export async function withAuthority<T>(
  request: Omit<OpenAuthority, 'sealed'>,
  work: (authority: BackupAuthority) => Promise<T>,
): Promise<T> {
  const { home, terminal } = request;
  const use = async (authority: BackupAuthority): Promise<T> => {
    try {
      return await work(authority);
    } finally {
      await authority.close();
    }
  };
  const byNode = await findNodeAuthority(request);
  if (byNode !== undefined) return use(byNode);
  return withSealedFiles({ home, terminal }, async (sealed) => use(await openByKeys({ ...request, sealed })));
}

async function findNodeAuthority(request: Omit<OpenAuthority, 'sealed'>): Promise<BackupAuthority | undefined> {
  const client = request.passphraseFile === undefined ? await findUnlockedNode(request) : undefined;
  return client === undefined ? undefined : openByNode(client);
}

async function findUnlockedNode({
  home,
  terminal,
}: Pick<OpenAuthority, 'home' | 'terminal'>): Promise<Client | undefined> {
  let client: Client | undefined;
  try {
    client = await openNodeClient({ home, signal: terminal.signal });
    const { locked, audit, version } = await client.send(NodeStatus, 'GET', '/v1/node', { timeoutMs: PROBE_MS });
    if (!locked && audit !== null && version === VERSION) return client;
  } catch (error) {
    terminal.signal.throwIfAborted();
    if (!(error instanceof NectarError)) throw error;
  }
  await client?.close();
  return undefined;
}

function openByNode(client: Client): BackupAuthority {
  return {
    async sign(statement) {
      const { signature, auditLeaf } = await client.json(SignedCopy, 'POST', '/v1/backups/statements', statement);
      return { signature: Buffer.from(signature, 'base64'), auditLeaf };
    },
    async repositoryKey(repository) {
      const { key } = await client.json(RepositoryKeyAnswer, 'POST', '/v1/backups/keys', { repository });
      return Buffer.from(key, 'hex');
    },
    async generationOnRecord(repository) {
      const { repositories } = await client.send(BackupOverview, 'GET', '/v1/backups', {});
      return repositories.find((one) => one.repository === repository)?.generation ?? undefined;
    },
    close: () => client.close(),
  };
}

async function openByKeys({ home, sealed, terminal, passphraseFile }: OpenAuthority): Promise<BackupAuthority> {
  const keys = await unlockKeys({ home: sealed, terminal, passphraseFile });
  const { nodeId } = readPublicIdentity(home);
  const signer = createIdentitySigner(keys, IDENTITIES.checkpoint);
  const own = createBackupKeys({ nodeId }, { keys, signer, crypto: nodeEnvelopeCrypto });
  return {
    sign: async (statement) => ({ signature: await own.sign(statement), auditLeaf: undefined }),
    repositoryKey: (repository) => own.repositoryKey(repository),
    generationOnRecord: async () => undefined,
    close: () => keys.stop(),
  };
}
