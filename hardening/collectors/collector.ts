import type { Collection, FactSet, Subject } from '../fact-set.ts';
import { FACTS_FORMAT } from '../fact-set.ts';
import type { FactId } from '../facts/index.ts';
import { factSetProblems } from '../parse-facts.ts';
import type { SubjectKind } from '../subject.ts';

/** Looks at one thing and says what it saw. Impure and small; what it may not see is an error of that fact, with the reason. */
export interface Collector {
  readonly name: string;
  /** The kinds of subjects that it lists, every one of them. */
  readonly kinds: readonly SubjectKind[];
  /** Facts that it adds to subjects which other collectors list: same kind, same name. */
  readonly adds?: readonly FactId[];
  /** All that it needs: `read access to the engine's socket`. */
  readonly privilege: string;
  /** The reason why there is nothing for it to see in this target; undefined when there is. */
  readonly notApplicable?: string;
  collect(signal: AbortSignal): Promise<readonly Subject[]>;
}

export interface CollectOptions {
  readonly tool: FactSet['tool'];
  readonly node: FactSet['node'];
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onProgress?: (collector: string) => void;
}

/** Lets every collector look, one after the other: they share the machine that they judge. One that fails stops no other. */
export async function collectFacts(collectors: readonly Collector[], options: CollectOptions): Promise<FactSet> {
  const { tool, node, now, signal, onProgress } = options;
  const collections: Collection[] = [];
  const subjects: Subject[] = [];
  for (const collector of collectors) {
    signal.throwIfAborted();
    onProgress?.(collector.name);
    const { collection, seen } = await look(collector, signal);
    collections.push(collection);
    subjects.push(...seen);
  }
  const facts: FactSet = {
    format: FACTS_FORMAT,
    collectedAt: new Date(now()).toISOString(),
    tool,
    node,
    collections,
    subjects: merge(subjects),
  };
  const problems = factSetProblems(facts);
  // A collector that says what the registry does not know is a bug of ours.
  if (problems.length > 0) throw new Error(`wrong facts: ${problems.join('; ')}`);
  return facts;
}

async function look(
  collector: Collector,
  signal: AbortSignal,
): Promise<{ collection: Collection; seen: readonly Subject[] }> {
  const { name, kinds, adds = [], privilege, notApplicable } = collector;
  const collection = { collector: name, kinds, adds, privilege };
  if (notApplicable !== undefined) {
    return { collection: { ...collection, outcome: 'not-applicable', reason: notApplicable }, seen: [] };
  }
  try {
    const seen = await collector.collect(signal);
    return { collection: { ...collection, outcome: 'collected' }, seen };
  } catch (error) {
    signal.throwIfAborted();
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 1000) || 'it did not say why';
    return { collection: { ...collection, outcome: 'failed', reason }, seen: [] };
  }
}

/** One subject of what several collectors saw of it. Of two values for one fact the first stays. */
function merge(subjects: readonly Subject[]): Subject[] {
  const byName = new Map<string, Subject>();
  for (const subject of subjects) {
    const key = `${subject.kind} ${subject.name}`;
    const known = byName.get(key);
    byName.set(key, known === undefined ? subject : { ...known, facts: { ...subject.facts, ...known.facts } });
  }
  return [...byName.values()];
}
