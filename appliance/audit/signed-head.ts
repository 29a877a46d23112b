import type { RootHash } from '../../protocol/brand.ts';
import { verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Epochs } from './epochs.ts';
import type { WitnessedHead } from './freshness.ts';
import type { ExternalHead } from './known-heads.ts';

/** A tree head that left the machine, with the note that the log signed for it: kept in clear, so it is believed by its signature. */
export interface SignedHead {
  readonly note: string;
  /** Who knows it. */
  readonly where: string;
  /** When it left, milliseconds. */
  readonly at: number;
}

/** Throws AUDIT_NOTE_INVALID or AUDIT_CHECKPOINT_INVALID unless this log signed it. */
export function parseSignedHead({ note, where, at }: SignedHead, epochs: Epochs): ExternalHead {
  const { size, root, origin } = verifyCheckpoint(note, epochs.key());
  const head = { size, root: Buffer.from(root).toString('hex') as RootHash, where, at };
  // An epoch that this log does not have is one that was lost with the leaves that it signed.
  const epoch = origin === epochs.base ? 1 : epochs.marks().find((mark) => mark.origin === origin)?.number;
  return epoch === undefined ? head : { ...head, epoch };
}

/** Heads that wait for a start. One that claims the log's signature and does not have it says nothing. */
export function parseTold(
  told: readonly (WitnessedHead | SignedHead)[],
  epochs: Epochs,
  log: Pick<Logger, 'warn'>,
): WitnessedHead[] {
  return told.flatMap((head) => {
    try {
      return ['note' in head ? parseSignedHead(head, epochs) : head];
    } catch (error) {
      log.warn({ err: error, where: head.where }, 'a stored tree head is not signed by this log');
      return [];
    }
  });
}
