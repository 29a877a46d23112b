import {
  BackupOverview,
  BackupScheduleNote,
  CopyStatement,
  PruningNote,
  RepositoryKeyAnswer,
  RepositoryKeyRequest,
  SignedCopy,
  VerificationNote,
} from '../backup-schemas.ts';
import { evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { KeepReplacedRequest } from '../request-schemas.ts';
import { Recorded } from '../schema-parts.ts';

const overview = describeOperation({
  id: 'getBackups',
  tag: 'backups',
  summary: 'What is on record of backup repositories',
  guard: { scope: 'node:read' },
  response: { 200: BackupOverview },
});
const statement = describeOperation({
  id: 'signBackup',
  tag: 'backups',
  summary: 'Have the node sign what a backup of it holds',
  description:
    'The backup is made of the files of the node, beside its API; with this nobody types a passphrase for it. The statement is a leaf of the audit log before it is signed.',
  guard: { scope: 'backups:make' },
  body: CopyStatement,
  response: { 200: SignedCopy },
});
const key = describeOperation({
  id: 'getBackupKey',
  tag: 'backups',
  summary: 'The key that seals the metadata of one repository',
  description:
    'It hides from the holder of a repository what the node keeps readable in its own folder: configuration, leaves of the log, names of files. It opens no record and no body of the log.',
  guard: { scope: 'backups:make' },
  body: RepositoryKeyRequest,
  response: { 200: RepositoryKeyAnswer },
});
const hold = describeOperation({
  id: 'keepReplacedBlocks',
  tag: 'backups',
  summary: 'Keep ciphertext that a rekey replaces for as long as an index is copied that may name it',
  guard: { scope: 'backups:make' },
  body: KeepReplacedRequest,
  response: { 200: KeepReplacedRequest },
});
const verification = describeOperation({
  id: 'recordBackupVerification',
  tag: 'backups',
  summary: 'Put on record what a verification of a repository found',
  guard: { scope: 'backups:make' },
  body: VerificationNote,
  response: { 200: Recorded },
});
const pruning = describeOperation({
  id: 'recordBackupPruning',
  tag: 'backups',
  summary: 'Put on record what was let go of in a repository, or that it was refused',
  guard: { scope: 'backups:make' },
  body: PruningNote,
  response: { 200: Recorded },
});
const schedule = describeOperation({
  id: 'setBackupSchedule',
  tag: 'backups',
  summary: 'Say how often a snapshot is to come; the node raises the alarm when none does',
  guard: { scope: 'admin' },
  body: BackupScheduleNote,
  response: { 200: Recorded },
});

/** Evidence first: nothing is signed or remembered here that the audit log does not hold. */
export function addBackupRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, backups, exclusive } = context;

  server.get('/v1/backups', overview, async () => backups.overview());

  server.post('/v1/backups/statements', statement, (request) =>
    exclusive.run('backup statement', async () => {
      const said = request.body as CopyStatement;
      await backups.hold();
      const { createdAt, ...rest } = said;
      const detail = { backupCreatedAt: createdAt, ...rest };
      const event = { type: 'node.backup', outcome: 'success', context: request.access, detail } as const;
      const { result, auditLeaf } = await evidencedFirst(context, event, async (leaf) => {
        const signature = Buffer.from(await deps.backups.sign(said)).toString('base64');
        if (said.kind === 'snapshot') {
          const { repository, generation } = said;
          await backups.snapshot({ repository, generation, auditLeaf: leaf });
        }
        return signature;
      });
      return { signature: result, auditLeaf };
    }),
  );

  server.post('/v1/backups/keys', key, async (request) => {
    const { repository } = request.body as RepositoryKeyRequest;
    const secret = await deps.backups.repositoryKey(repository);
    const text = Buffer.from(secret).toString('hex');
    secret.fill(0);
    return { key: text };
  });

  server.post('/v1/backups/hold', hold, async (request) => {
    const { seconds } = request.body as KeepReplacedRequest;
    await deps.store.keepReplaced(seconds * 1000);
    return { seconds };
  });

  server.post('/v1/backups/verifications', verification, (request) =>
    exclusive.run('backup verification', async () => {
      const note = request.body as VerificationNote;
      await backups.hold();
      const { outcome, opened, ...rest } = note;
      const detail = { ...rest, opened: opened ? 'yes' : 'no' };
      const event = { type: 'backup.verify', outcome, context: request.access, detail } as const;
      const { auditLeaf } = await evidencedFirst(context, event, () => backups.verification(note));
      return { auditLeaf };
    }),
  );

  server.post('/v1/backups/prunings', pruning, async (request) => {
    const { outcome, ...detail } = request.body as PruningNote;
    const event = { type: 'backup.prune', outcome, context: request.access, detail } as const;
    return { auditLeaf: (await evidencedFirst(context, event, async () => undefined)).auditLeaf };
  });

  server.put('/v1/backups/schedule', schedule, (request) =>
    exclusive.run('backup schedule', async () => {
      const note = request.body as BackupScheduleNote;
      await backups.hold();
      const detail = { repository: note.repository, everySeconds: note.everySeconds ?? 'off' };
      const event = { type: 'backup.schedule', outcome: 'success', context: request.access, detail } as const;
      const { auditLeaf } = await evidencedFirst(context, event, () => backups.schedule(note));
      return { auditLeaf };
    }),
  );
}
