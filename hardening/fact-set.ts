import type { FactValue } from './fact-type.ts';
import type { FactId } from './facts/index.ts';
import type { SubjectKind } from './subject.ts';

/**
 * What was observed of one fact of one subject: a value; why it could not be seen; or why there is no such thing here to be seen
 * (the health of a container that is not made yet).
 */
export type Observation = { readonly value: FactValue } | { readonly error: string } | { readonly absent: string };

/** A line of a file that says what the subject is. */
export interface Source {
  /** As its reader named it, with slashes; relative to where the report is made. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface Subject {
  readonly kind: SubjectKind;
  /** What it is called where it lives: `nectar-1f2e3d4c-store`. Unique within its kind. */
  readonly name: string;
  /** Where it is written down; absent of what was seen as it runs. */
  readonly source?: Source;
  /** A fact that is not here was not looked for: asking for it is an error, never a pass. */
  readonly facts: Readonly<Partial<Record<FactId, Observation>>>;
}

/** What became of one collector's look. */
export interface Collection {
  readonly collector: string;
  /** The kinds of subjects that it lists: where it failed, nobody knows which there are. */
  readonly kinds: readonly SubjectKind[];
  /** The facts that it adds to subjects which others list. */
  readonly adds: readonly FactId[];
  /** What it needed to see them: `read access to the engine's socket`. */
  readonly privilege: string;
  /** `not-applicable`: there is none of this kind in this target; `failed`: could not look. */
  readonly outcome: 'collected' | 'not-applicable' | 'failed';
  /** Why, unless collected. */
  readonly reason?: string;
}

export const FACTS_FORMAT = 'nectar-byon-facts/1';

/** Everything that was seen at one time of one node. Can be saved and judged elsewhere. */
export interface FactSet {
  readonly format: typeof FACTS_FORMAT;
  /** ISO 8601, UTC. */
  readonly collectedAt: string;
  readonly tool: { readonly name: string; readonly version: string };
  readonly node: { readonly id: string; readonly target: string; readonly network: string };
  readonly collections: readonly Collection[];
  readonly subjects: readonly Subject[];
}
