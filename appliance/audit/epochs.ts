import { NectarError } from '../../protocol/errors.ts';
import { epochOrigin, keyOfEpoch, parseOrigin } from '../../protocol/merkle/epoch.ts';
import type { VerifierKey } from '../../protocol/merkle/verifier-key.ts';

/** Where a successor epoch begins, and what its checkpoints are signed as. */
export interface EpochMark {
  readonly number: number;
  /** Index of its `audit.epoch` leaf. */
  readonly start: number;
  readonly origin: string;
}

/** The epochs of one log, oldest first: who signs its checkpoints, and under which name a body is sealed. */
export interface Epochs {
  /** The log's origin: that of its first epoch. */
  readonly base: string;
  /** The successors. */
  marks(): readonly EpochMark[];
  /** The key of the current epoch. */
  key(): VerifierKey;
  /**
   * The name that a body is sealed under, that of its epoch: a leaf of a lost epoch, put behind the signed ones, does not open.
   * The `audit.epoch` leaf itself is sealed under the base, since the epoch's name is in it.
   */
  sealedAs(place: { readonly index: number; readonly beginsEpoch: boolean }): string;
  /** The next epoch, that would begin at a leaf. */
  next(start: number, id: string): EpochMark;
  /** Adds the next epoch; throws AUDIT_CHECKPOINT_INVALID when it does not follow. */
  begin(mark: EpochMark): void;
  /** Takes the newest back: its leaf could not be written. */
  undo(): void;
}

export function createEpochs(base: VerifierKey): Epochs {
  const marks: EpochMark[] = [];
  const key = (): VerifierKey => ({ ...base, name: marks.at(-1)?.origin ?? base.name });
  return {
    base: base.name,
    marks: () => marks,
    key,
    sealedAs({ index, beginsEpoch }) {
      if (beginsEpoch) return base.name;
      return marks.findLast(({ start }) => start < index)?.origin ?? base.name;
    },
    next(start, id) {
      const number = (marks.at(-1)?.number ?? 1) + 1;
      return { number, start, origin: epochOrigin({ base: base.name, number, start }, id) };
    },
    begin(mark) {
      const last = marks.at(-1);
      const follows = mark.number > (last?.number ?? 1) && mark.start > (last?.start ?? -1);
      if (!follows || keyOfEpoch(base, mark.origin) === undefined) refuseOrigin(mark.origin);
      marks.push(mark);
    },
    undo: () => void marks.pop(),
  };
}

/** The mark that an origin names; undefined for that of a first epoch. Throws AUDIT_CHECKPOINT_INVALID for another log's. */
export function parseMark(origin: string, base: string): EpochMark | undefined {
  const { base: of, number, start } = parseOrigin(origin);
  if (of !== base) refuseOrigin(origin);
  return number === 1 ? undefined : { number, start, origin };
}

function refuseOrigin(origin: string): never {
  throw new NectarError('AUDIT_CHECKPOINT_INVALID', { reason: `${origin} is no epoch that follows in this log` });
}
