import { NectarError } from '../../protocol/errors.ts';
import { EMPTY_ROOT, type Hash, isSameHash } from '../../protocol/merkle/hash.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import type { ExternalHead } from './known-heads.ts';

/** How a head that left the machine stands to the log. */
export type Judgement =
  | { readonly is: 'held' }
  /** Of a stretch that an epoch declares lost. */
  | { readonly is: 'lost'; readonly epoch: DeclaredEpoch }
  | { readonly is: 'contradicts'; readonly error: NectarError<'AUDIT_TRUNCATED'> | NectarError<'AUDIT_FORKED'> };

export interface JudgedLog {
  readonly size: number;
  /** The root of the first leaves. */
  rootAt(size: number): Promise<Hash>;
}

/**
 * Compares by root, at the head's own size, however far the log has grown since. A head that the log does not hold is explained
 * only by an epoch that was declared after the head had left, and only where that epoch says that leaves are missing: so a
 * declared gap hides nothing that happens later, and nothing before it.
 */
export async function judgeHead(
  head: ExternalHead,
  log: JudgedLog,
  declared: readonly DeclaredEpoch[],
): Promise<Judgement> {
  const { size, root, where } = head;
  const own = size <= log.size ? await log.rootAt(size) : EMPTY_ROOT;
  if (size <= log.size && isSameHash(own, Buffer.from(root, 'hex'))) return { is: 'held' };
  const epoch = explaining(head, declared);
  if (epoch !== undefined) return { is: 'lost', epoch };
  const error =
    size > log.size
      ? new NectarError('AUDIT_TRUNCATED', { size: log.size, expected: size, where })
      : new NectarError('AUDIT_FORKED', { size, where });
  return { is: 'contradicts', error };
}

/** The epoch whose declared gap a head lies in. */
export function explaining(
  { size, at, epoch: signedIn = 0 }: Pick<ExternalHead, 'size' | 'at' | 'epoch'>,
  declared: readonly DeclaredEpoch[],
): DeclaredEpoch | undefined {
  return declared.find((epoch) => at <= epoch.at && size > epoch.from && signedIn < epoch.number);
}
