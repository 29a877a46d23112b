import type { PruningNote } from '../../../appliance/gateway/backup-schemas.ts';
import { Recorded } from '../../../appliance/gateway/schema-parts.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { withNode } from '../../node-client.ts';
import { withAuthority } from '../backup-authority.ts';
import { withRepositoryLock } from './back-up-to.ts';
import { findKnown, type KnownRepository, type Retention } from './known-repositories.ts';
import { openTarget } from './open-target.ts';
import { type PrunedRepository, pruneRepository } from './prune-repository.ts';
import { pruneThenVerify, recordPruning } from './record-pruning.ts';
import { type VerifiedOnRecord, verifyAndRecord } from './verify-and-record.ts';

/** Records that a scheduled run reads back. */
const SAMPLE = 8;

export interface PruneKnown {
  readonly known: KnownRepository;
  readonly keep: Retention | undefined;
  readonly dryRun: boolean;
  readonly passphraseFile: string | undefined;
}

/** @throws NectarError CLI_USAGE without a retention: what to keep is not for a program to guess */
export function pruneKnown(call: Call<unknown>, request: PruneKnown): Promise<PrunedRepository> {
  const { home, terminal } = call;
  const { known, keep, dryRun, passphraseFile } = request;
  if (keep === undefined) throw new NectarError('CLI_USAGE', { problem: 'say what to keep: --keep-last 3, ...' });
  const { signal } = terminal;
  const say = (text: string): void => call.output.note(text);
  const prune = (): Promise<PrunedRepository> =>
    withRepositoryLock({ home, terminal, say }, async () => {
      const credentials = known.pruneCredentials ?? known.credentials;
      const target = await openTarget({ target: known.target, credentials }, signal);
      try {
        return await withAuthority({ home, terminal, passphraseFile }, (authority) =>
          pruneRepository({ home, target, authority, keep, dryRun, signal }),
        );
      } finally {
        await target.close();
      }
    });
  if (dryRun) return prune();
  const { target, repository } = known;
  return recordPruning({ target, repository, prune, tell: (note) => tellNode(call, note) });
}

async function tellNode(call: Call<unknown>, note: PruningNote): Promise<void> {
  try {
    await withNode(call, (client) => client.json(Recorded, 'POST', '/v1/backups/prunings', note));
  } catch (error) {
    if (!isNectarError(error)) throw error;
    call.output.note(`The node could not be told, so its log does not have it: ${error.message}`);
  }
}

/** What follows a scheduled snapshot: retention, and proof that it restores. */
export async function followSnapshot(call: Call<unknown>, target: string): Promise<VerifiedOnRecord | undefined> {
  const known = await findKnown(call.home, target);
  if (known === undefined) return undefined;
  const { keep } = known;
  return pruneThenVerify(
    async () => {
      if (keep !== undefined) await pruneKnown(call, { known, keep, dryRun: false, passphraseFile: undefined });
    },
    () =>
      verifyAndRecord(call, {
        ...{ known, whole: false, sample: SAMPLE, scratch: undefined, passphraseFile: undefined, unattended: true },
        onBytes: () => undefined,
      }),
  );
}
