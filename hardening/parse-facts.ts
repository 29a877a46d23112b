import Type from 'typebox';
import { Check, Errors } from 'typebox/value';
import { NectarError } from '../protocol/errors.ts';
import { FACTS_FORMAT, type FactSet } from './fact-set.ts';
import { isFactValue } from './fact-type.ts';
import { factKind, factType, isFactId } from './facts/index.ts';
import { SUBJECT_KINDS, type SubjectKind } from './subject.ts';

export const MAX_FACTS_BYTES = 8 * 1024 * 1024;
const MAX_SUBJECTS = 4096;
const MAX_PROBLEMS = 20;

const strict = { additionalProperties: false };
const text = (maxLength: number) => Type.String({ maxLength });

const schema = Type.Object(
  {
    format: Type.Literal(FACTS_FORMAT),
    collectedAt: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$' }),
    tool: Type.Object({ name: text(64), version: text(64) }, strict),
    node: Type.Object({ id: text(64), target: text(32), network: text(64) }, strict),
    collections: Type.Array(
      Type.Object(
        {
          collector: text(64),
          kinds: Type.Array(Type.Enum([...SUBJECT_KINDS])),
          adds: Type.Array(Type.String(), { maxItems: 512 }),
          privilege: text(256),
          outcome: Type.Enum(['collected', 'not-applicable', 'failed']),
          reason: Type.Optional(text(1024)),
        },
        strict,
      ),
      { maxItems: 256 },
    ),
    subjects: Type.Array(
      Type.Object(
        {
          kind: Type.Enum([...SUBJECT_KINDS]),
          name: text(512),
          source: Type.Optional(Type.Object({ file: text(1024), line: Type.Integer({ minimum: 1 }) }, strict)),
          facts: Type.Record(
            Type.String(),
            Type.Union([
              Type.Object({ value: Type.Unknown() }, strict),
              Type.Object({ error: text(1024) }, strict),
              Type.Object({ absent: text(1024) }, strict),
            ]),
          ),
        },
        strict,
      ),
      { maxItems: MAX_SUBJECTS },
    ),
  },
  strict,
);

/**
 * Facts that were saved: size, shape, then every id and value against the registry. Anything unknown is an error.
 *
 * @throws NectarError HARDENING_FACTS_INVALID
 */
export function parseFactSet(bytes: Uint8Array, path: string): FactSet {
  const refuse = (problems: readonly string[], cause?: unknown): never => {
    throw new NectarError('HARDENING_FACTS_INVALID', { path, problems: problems.slice(0, MAX_PROBLEMS) }, { cause });
  };
  if (bytes.length > MAX_FACTS_BYTES) refuse([`longer than ${MAX_FACTS_BYTES} bytes`]);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    refuse(['not JSON in UTF-8'], error);
  }
  if (!Check(schema, value)) {
    refuse(Errors(schema, value).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`));
  }
  const facts = value as FactSet;
  const problems = factSetProblems(facts);
  if (problems.length > 0) refuse(problems);
  return facts;
}

/** Of these there is one: a second would let somebody choose by which a condition is judged. */
const ALONE: readonly SubjectKind[] = ['node', 'host', 'engine', 'cluster'];

/** Unknown facts, facts of another kind, values of another type, and subjects that occur twice. */
export function factSetProblems({ collections, subjects }: FactSet): string[] {
  const seen = new Set<string>();
  const promised = collections.flatMap(({ collector, adds }) =>
    adds.filter((id) => !isFactId(id)).map((id) => `${collector}: there is no fact ${id}`),
  );
  const observed = subjects.flatMap(({ kind, name, facts }) => {
    const subject = `${kind} ${name}`;
    const twice = seen.has(subject) ? [`${subject} occurs twice`] : [];
    seen.add(subject);
    const wrong = Object.entries(facts).flatMap(([id, observation]) => {
      if (!isFactId(id)) return [`${subject}: there is no fact ${id}`];
      if (factKind(id) !== kind) return [`${subject}: ${id} is no fact of a ${kind}`];
      if (observation === undefined || !('value' in observation)) return [];
      return isFactValue(factType(id), observation.value) ? [] : [`${subject}: ${id} is not of type ${factType(id)}`];
    });
    return [...twice, ...wrong];
  });
  const several = ALONE.filter((kind) => subjects.filter((subject) => subject.kind === kind).length > 1);
  return [
    ...promised,
    ...collections
      .filter(({ outcome, reason }) => outcome !== 'collected' && !reason)
      .map(({ collector, outcome }) => `${collector}: ${outcome} without a reason`),
    ...several.map((kind) => `there is more than one ${kind}`),
    ...observed,
  ];
}
