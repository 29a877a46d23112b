import Type, { type Static } from 'typebox';
import { type Parsed, parseEntry } from './parse-entry.ts';

const strict = { additionalProperties: false };

const ClauseEntry = Type.Object(
  {
    clause: Type.String({ minLength: 1, maxLength: 60 }),
    title: Type.String({ minLength: 4, maxLength: 240 }),
    /** HIPAA: whether it is a standard, or a specification that is required or addressable. */
    rule: Type.Optional(Type.Enum(['standard', 'required', 'addressable'])),
    /** Why no check bears on it. */
    notApplicable: Type.Optional(Type.String({ minLength: 11, maxLength: 1000 })),
    note: Type.Optional(Type.String({ minLength: 11, maxLength: 1000 })),
  },
  strict,
);

/** A file of hardening/standards/: every clause of a standard, or of a part of it. */
const StandardEntry = Type.Object(
  {
    standard: Type.String({ minLength: 2, maxLength: 60 }),
    version: Type.String({ minLength: 1, maxLength: 40 }),
    clauses: Type.Array(ClauseEntry, { minItems: 1 }),
  },
  strict,
);

export type Standard = Static<typeof StandardEntry>;
type Clause = Standard['clauses'][number];

/** A clause of a standard that a check bears on, checked by hand against that version's text. */
export interface Reference {
  readonly standard: string;
  readonly version: string;
  readonly clause: string;
  readonly title: string;
}

interface CitingCheck {
  readonly id: string;
  readonly refs: readonly Reference[];
}

/** What a check cites: ids of clauses by the name of their standard. */
export type Citations = Readonly<Record<string, readonly string[]>>;

/** A clause with what bears on it. */
export interface CoveredClause extends Clause {
  readonly checks: readonly string[];
}

export function parseStandard(entry: unknown): Parsed<Standard> {
  return parseEntry(StandardEntry, entry);
}

/** Standards with their clauses by id; what two parts of one standard disagree on is a problem of standardProblems. */
export function referencesOf(standards: readonly Standard[]): ReadonlyMap<string, ReadonlyMap<string, Reference>> {
  const byStandard = new Map<string, Map<string, Reference>>();
  for (const { standard, version, clauses } of standards) {
    const own = byStandard.get(standard) ?? new Map<string, Reference>();
    for (const { clause, title } of clauses) own.set(clause, { standard, version, clause, title });
    byStandard.set(standard, own);
  }
  return byStandard;
}

/** The clauses that a check cites, in the order in which it names them. */
export function resolveCitations(
  cites: Citations,
  known: ReturnType<typeof referencesOf>,
): Parsed<readonly Reference[]> {
  const refs: Reference[] = [];
  const problems: string[] = [];
  for (const [standard, clauses] of Object.entries(cites)) {
    for (const clause of clauses) {
      const found = known.get(standard)?.get(clause);
      if (found === undefined) problems.push(`${standard} has no clause ${clause} in standards/`);
      else refs.push(found);
    }
  }
  return problems.length > 0 ? { problems } : { value: refs };
}

/** Each clause of a standard with the checks that cite it, sorted. */
export function coverageOf({ standard, clauses }: Standard, checks: readonly CitingCheck[]): readonly CoveredClause[] {
  return clauses.map((one) => ({
    ...one,
    checks: checks
      .filter(({ refs }) => refs.some((ref) => ref.standard === standard && ref.clause === one.clause))
      .map(({ id }) => id)
      .sort(),
  }));
}

/** Every clause has checks, or the reason why it has none; never both. */
export function standardProblems(standards: readonly Standard[], checks: readonly CitingCheck[]): string[] {
  const seen = new Map<string, string>();
  return standards.flatMap((standard) => {
    const name = standard.standard;
    const version = seen.get(name) ?? standard.version;
    seen.set(name, version);
    return [
      ...(version === standard.version ? [] : [`${name} is of two versions: ${version}, ${standard.version}`]),
      ...coverageOf(standard, checks).flatMap(({ clause, checks: own, notApplicable }) => {
        const key = `${name} ${clause}`;
        const twice = seen.has(key) ? [`${key} occurs twice`] : [];
        seen.set(key, clause);
        if (own.length > 0 === (notApplicable === undefined)) return twice;
        return [
          ...twice,
          own.length > 0 ? `${key} is not applicable, and ${own[0]} cites it` : `${key} has no check and no reason`,
        ];
      }),
    ];
  });
}
