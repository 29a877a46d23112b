import type { Observation } from '../fact-set.ts';
import { type FactValue, MAX_SET_SIZE, MAX_TEXT_LENGTH } from '../fact-type.ts';
import type { FactIdOf } from '../facts/index.ts';
import type { SubjectKind } from '../subject.ts';

/** Every fact of a kind that one collector answers for: leaving one out does not compile. */
export type FactsOf<K extends SubjectKind, Except extends string = never> = Readonly<
  Record<Exclude<FactIdOf<K>, Except>, Observation>
>;

const MAX_REASON_LENGTH = 500;

/** The value that is read, a set sorted and without doubles; whatever is thrown is why it could not be seen. */
export function observe(read: () => FactValue): Observation {
  try {
    return { value: bounded(read()) };
  } catch (error) {
    return unseen(error);
  }
}

export function unseen(error: unknown): { readonly error: string } {
  const reason = error instanceof Error ? error.message : String(error);
  return { error: reason.slice(0, MAX_REASON_LENGTH) };
}

/** The same answer for each fact of a list. */
export function forEach<F extends string>(facts: readonly F[], observation: Observation): Record<F, Observation> {
  return Object.fromEntries(facts.map((fact) => [fact, observation])) as Record<F, Observation>;
}

function bounded(value: FactValue): FactValue {
  if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) throw new Error('the text is too long to be a fact');
  if (!Array.isArray(value)) return value;
  const values = [...new Set(value as readonly string[])].sort();
  if (values.length > MAX_SET_SIZE) throw new Error(`there are more than ${MAX_SET_SIZE}`);
  return values;
}
