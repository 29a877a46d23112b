import { NectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { withAuthority } from '../backup-authority.ts';
import { withRepositoryLock } from './back-up-to.ts';
import { findKnown, type KnownRepository, type Retention } from './known-repositories.ts';
import { openTarget } from './open-target.ts';
import { type PrunedRepository, pruneRepository } from './prune-repository.ts';
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
  return withRepositoryLock({ home, terminal, say }, async () => {
    const target = await openTarget(known, signal);
    try {
      return await withAuthority({ home, terminal, passphraseFile }, (authority) =>
        pruneRepository({ home, target, authority, keep, dryRun, signal }),
      );
    } finally {
      await target.close();
    }
  });
}

/** What follows a scheduled snapshot: retention, and proof that it restores. */
export async function followSnapshot(call: Call<unknown>, target: string): Promise<VerifiedOnRecord | undefined> {
  const known = await findKnown(call.home, target);
  if (known === undefined) return undefined;
  const { keep } = known;
  if (keep !== undefined) await pruneKnown(call, { known, keep, dryRun: false, passphraseFile: undefined });
  return verifyAndRecord(call, {
    ...{ known, whole: false, sample: SAMPLE, scratch: undefined, passphraseFile: undefined, unattended: true },
    onBytes: () => undefined,
  });
}
