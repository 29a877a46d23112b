import Type, { type Static } from 'typebox';
import { type Check, type Condition, SEVERITIES, TARGETS } from './check.ts';
import { type FactId, factKind, factType, isFactId } from './facts/index.ts';
import { type Expectation, expectationProblem } from './operator.ts';
import { type Parsed, parseEntry } from './parse-entry.ts';
import type { NamingCheck } from './profile-rule.ts';
import { type Reference, type referencesOf, resolveCitations } from './standard.ts';

const strict = { additionalProperties: false };
const sentence = Type.String({ minLength: 8, maxLength: 2000 });
const perPlatform = Type.Object(
  {
    any: Type.Optional(sentence),
    process: Type.Optional(sentence),
    docker: Type.Optional(sentence),
    kubernetes: Type.Optional(sentence),
  },
  { ...strict, minProperties: 1 },
);
const expectation = Type.Object({ op: Type.String(), value: Type.Optional(Type.Unknown()) }, strict);

/** A check as it stands in a file of hardening/checks/. */
export const CheckEntry = Type.Object(
  {
    id: Type.String({ pattern: '^BYON-[A-Z0-9]{2,4}-[0-9]{3}$' }),
    title: Type.String({ minLength: 8, maxLength: 120 }),
    // Reasons are joined by semicolons.
    failure: Type.Optional(Type.String({ minLength: 8, maxLength: 120, pattern: '^[^;]+[^;.]$' })),
    target: Type.Enum([...TARGETS]),
    severity: Type.Enum([...SEVERITIES]),
    mode: Type.Enum(['automated', 'manual']),
    // Those that take checks by name; the others find it by their rules.
    profiles: Type.Optional(Type.Array(Type.String(), { minItems: 1, uniqueItems: true })),
    probe: Type.Optional(Type.Object({ fact: Type.String() }, strict)),
    expect: Type.Optional(expectation),
    where: Type.Optional(
      Type.Array(
        Type.Object({ fact: Type.String(), op: Type.String(), value: Type.Optional(Type.Unknown()) }, strict),
        { minItems: 1 },
      ),
    ),
    rationale: sentence,
    remediation: perPlatform,
    see: perPlatform,
    // Clauses by standard; their titles and versions are in hardening/standards/.
    cites: Type.Record(
      Type.String({ minLength: 2, maxLength: 60 }),
      Type.Array(Type.String({ minLength: 1, maxLength: 60 }), { minItems: 1, uniqueItems: true }),
      { minProperties: 1 },
    ),
  },
  strict,
);
type CheckEntry = Static<typeof CheckEntry>;

/** One entry of a checks file, with the clauses that it cites from the standards. Every problem is named at once. */
export function parseCheck(entry: unknown, standards: ReturnType<typeof referencesOf>): Parsed<NamingCheck> {
  const parsed = parseEntry(CheckEntry, entry);
  if ('problems' in parsed) return parsed;
  const { profiles = [], cites, ...rest } = parsed.value;
  const found = resolveCitations(cites, standards);
  if ('problems' in found) return { problems: found.problems.map((problem) => `${rest.id}: ${problem}`) };
  const judged = parseJudged(rest, found.value);
  return 'problems' in judged ? judged : { value: { check: judged.value, profiles } };
}

function parseJudged(entry: Omit<CheckEntry, 'cites' | 'profiles'>, refs: readonly Reference[]): Parsed<Check> {
  const { probe, expect, where = [], mode, failure, ...own } = entry;
  const base = { ...own, refs };
  if (mode === 'manual') {
    const extra = [failure && 'failure', probe && 'probe', expect && 'expect', entry.where && 'where'].filter(Boolean);
    return extra.length > 0
      ? { problems: extra.map((key) => `${base.id}: a manual check carries no ${key}`) }
      : { value: { ...base, mode } as Check };
  }
  if (probe === undefined || expect === undefined || failure === undefined)
    return { problems: [`${base.id}: an automated check needs probe, expect and failure`] };
  const problems = [
    ...expectationProblems(base.id, probe.fact, expect),
    ...where.flatMap((condition) => conditionProblems(base.id, probe.fact, condition)),
  ];
  if (problems.length > 0) return { problems };
  const conditions = where.map(
    ({ fact, ...rest }): Condition => ({ fact: fact as FactId, expect: rest as Expectation }),
  );
  return {
    value: {
      ...base,
      failure,
      mode,
      probe: { fact: probe.fact as FactId },
      expect: expect as Expectation,
      where: conditions,
    } as Check,
  };
}

function expectationProblems(id: string, fact: string, { op, value }: { op: string; value?: unknown }): string[] {
  if (!isFactId(fact)) return [`${id}: there is no fact ${fact}`];
  const problem = expectationProblem(factType(fact), op, value);
  return problem === undefined ? [] : [`${id}: ${fact}: ${problem}`];
}

function conditionProblems(id: string, probed: string, condition: NonNullable<CheckEntry['where']>[number]): string[] {
  const { fact, ...expect } = condition;
  const problems = expectationProblems(id, fact, expect);
  if (problems.length > 0 || !isFactId(fact) || !isFactId(probed)) return problems;
  const kind = factKind(fact);
  return kind === 'node' || kind === factKind(probed)
    ? []
    : [`${id}: ${fact} is of another kind of subject than ${probed}`];
}
