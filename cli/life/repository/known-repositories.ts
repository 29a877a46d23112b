import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check as matches } from 'typebox/value';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { readHomeJson } from '../backup/small-files.ts';

const strict = { additionalProperties: false };
const MAX_REPOSITORIES = 16;
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Instant = Type.String({ maxLength: 40 });
const Kept = Type.Integer({ minimum: 0, maximum: 10_000 });

const Retention = Type.Object({ last: Kept, daily: Kept, weekly: Kept, monthly: Kept }, strict);
/** How many snapshots to keep: the newest, and of the newest so many days, weeks and months the last one each. */
export type Retention = Static<typeof Retention>;

const KnownRepository = Type.Object(
  {
    /** As the operator named it: a folder's whole path, s3://BUCKET/PREFIX or node://HOST:PORT. */
    target: Type.String({ minLength: 1, maxLength: 4096 }),
    /** File with the credentials of a place that is not a folder. */
    credentials: Type.Optional(Type.String({ maxLength: 4096 })),
    /** File with the credentials that may remove old snapshots, where those above may not (another node). */
    pruneCredentials: Type.Optional(Type.String({ maxLength: 4096 })),
    repository: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    generation: Type.Integer({ minimum: 1 }),
    noteSha256: Sha256,
    createdAt: Instant,
    verifiedAt: Type.Optional(Instant),
    keep: Type.Optional(Retention),
    schedule: Type.Optional(
      Type.Object(
        {
          everySeconds: Type.Integer({ minimum: 1 }),
          by: Type.Enum(['systemd', 'crontab', 'hand']),
          since: Instant,
        },
        strict,
      ),
    ),
  },
  strict,
);
export type KnownRepository = Static<typeof KnownRepository>;

const File = Type.Object(
  { version: Type.Literal(1), repositories: Type.Array(KnownRepository, { maxItems: MAX_REPOSITORIES }) },
  strict,
);

/** HOME/backup/repositories.json: where this node has been backed up to, and how far. Without a secret. */
function filePath(home: string): string {
  return join(home, 'backup', 'repositories.json');
}

/** @throws NectarError BACKUP_REPOSITORIES_DAMAGED: a run on no memory would forget what is scheduled and kept */
export async function knownRepositories(home: string): Promise<readonly KnownRepository[]> {
  const path = filePath(home);
  const value = await readHomeJson(path, (reason, cause) => {
    throw new NectarError('BACKUP_REPOSITORIES_DAMAGED', { path, reason }, { cause });
  });
  if (value === undefined) return [];
  if (matches(File, value)) return value.repositories;
  throw new NectarError('BACKUP_REPOSITORIES_DAMAGED', { path, reason: 'another shape than this version writes' });
}

export async function findKnown(home: string, target: string): Promise<KnownRepository | undefined> {
  return (await knownRepositories(home)).find((known) => known.target === target);
}

/** Durable when it resolves. */
export async function rememberRepository(home: string, known: KnownRepository): Promise<void> {
  const others = (await knownRepositories(home)).filter(({ target }) => target !== known.target);
  await write(home, [...others, known].slice(-MAX_REPOSITORIES));
}

async function write(home: string, repositories: readonly KnownRepository[]): Promise<void> {
  await makeFolders(join(home, 'backup'), 0o700);
  await replaceFile(filePath(home), `${JSON.stringify({ version: 1, repositories }, undefined, 2)}\n`, 0o600);
}
