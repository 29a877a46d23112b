import { NectarError } from '../../protocol/errors.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import type { Epochs } from './epochs.ts';
import type { Freshness } from './freshness.ts';
import type { OpenLog } from './open-log.ts';
import { parseSignedHead, type SignedHead } from './signed-head.ts';

export interface ResolveDeps {
  readonly log: OpenLog;
  readonly epochs: Epochs;
  readonly freshness: Freshness;
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Declares what a barred log does not hold lost: a successor epoch begins.
 * @param told checkpoints that somebody kept; they are held against the log first, and may be what bars it
 * @returns the epoch, and the code of what barred the log; throws AUDIT_NOTHING_TO_RESOLVE
 */
export async function resolveConflict(
  { log, epochs, freshness, now, randomBytes }: ResolveDeps,
  told: readonly SignedHead[],
): Promise<{ epoch: DeclaredEpoch; code: string }> {
  for (const head of told.map((each) => parseSignedHead(each, epochs))) {
    await freshness.witness(head).catch((error: unknown) => {
      if (freshness.conflict === null) throw error;
    });
  }
  const { conflict } = freshness;
  if (conflict === null) throw new NectarError('AUDIT_NOTHING_TO_RESOLVE', { size: log.leaves.size() });
  const id = Buffer.from(randomBytes(8)).toString('hex');
  return { epoch: await freshness.begin({ cause: 'resolve', at: now(), id }), code: conflict.code };
}
