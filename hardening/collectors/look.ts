import type { Observation } from '../fact-set.ts';
import type { FactValue } from '../fact-type.ts';
import { observe, unseen } from './observe.ts';

/** What a look gives that found nothing of the kind. */
export interface Absent {
  readonly absent: string;
}

/** What one look says of each of its facts. */
export type Observed<F extends string> = Readonly<Record<F, Observation>>;

/** A look that takes its time: the value, why there is none to be seen, or why it could not be. Leaving it is no observation. */
export async function look(
  signal: AbortSignal,
  read: () => Promise<FactValue | Absent> | FactValue | Absent,
): Promise<Observation> {
  try {
    const seen = await read();
    return isAbsent(seen) ? seen : observe(() => seen);
  } catch (error) {
    signal.throwIfAborted();
    return unseen(error);
  }
}

function isAbsent(seen: FactValue | Absent): seen is Absent {
  return typeof seen === 'object' && 'absent' in seen;
}
