import Type, { type Static } from 'typebox';
import { Errors, Check as matches } from 'typebox/value';
import { type Check, type Condition, SEVERITIES, TARGETS } from './check.ts';
import { type FactId, factKind, factType, isFactId } from './facts/index.ts';
import { type Expectation, expectationProblem } from './operator.ts';

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
    refs: Type.Array(
      Type.Object(
        {
          standard: Type.String({ minLength: 2, maxLength: 60 }),
          version: Type.String({ minLength: 1, maxLength: 40 }),
          clause: Type.String({ minLength: 1, maxLength: 60 }),
          title: Type.String({ minLength: 4, maxLength: 240 }),
        },
        strict,
      ),
      { minItems: 1 },
    ),
  },
  strict,
);
type CheckEntry = Static<typeof CheckEntry>;

/** A profile as it stands in a file of hardening/profiles/. */
const ProfileEntry = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]{1,30}$' }),
    title: Type.String({ minLength: 4, maxLength: 120 }),
    about: sentence,
    threshold: Type.Enum([...SEVERITIES]),
    // A list, or the rule by which they are found.
    checks: Type.Union([
      Type.Array(Type.String(), { minItems: 1, uniqueItems: true }),
      Type.Literal('all'),
      Type.Object({ cites: Type.String({ minLength: 2, maxLength: 60 }) }, strict),
    ]),
  },
  strict,
);

export type ProfileEntry = Static<typeof ProfileEntry>;

export type Parsed<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** One entry of a checks file. Every problem is named at once. */
export function parseCheck(entry: unknown): Parsed<Check> {
  if (!matches(CheckEntry, entry)) return { problems: schemaProblems(CheckEntry, entry) };
  const { probe, expect, where = [], mode, failure, ...base } = entry;
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

export function parseProfile(entry: unknown): Parsed<ProfileEntry> {
  return matches(ProfileEntry, entry) ? { value: entry } : { problems: schemaProblems(ProfileEntry, entry) };
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

function schemaProblems(schema: Type.TSchema, entry: unknown): string[] {
  const id =
    (entry as { id?: unknown; name?: unknown } | null)?.id ?? (entry as { name?: unknown } | null)?.name ?? 'an entry';
  return Errors(schema, entry).map(({ instancePath, message }) => `${String(id)}: ${instancePath || '/'} ${message}`);
}
