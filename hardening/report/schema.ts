import Type from 'typebox';
import { SEVERITIES, TARGETS } from '../check.ts';
import { MAX_SET_SIZE, MAX_TEXT_LENGTH } from '../fact-type.ts';
import { VERDICTS } from '../finding.ts';
import { SUBJECT_KINDS } from '../subject.ts';
import { SIDES } from './posture.ts';
import { REPORT_FORMAT } from './report.ts';

const strict = { additionalProperties: false };
const text = (maxLength: number, description?: string) =>
  Type.String({ maxLength, ...(description === undefined ? {} : { description }) });
const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) });
const DAY = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const TIME = `${DAY}T([01]\\d|2[0-3])(:[0-5]\\d){2}(\\.\\d{1,9})?Z`;
const time = (description: string) => Type.String({ pattern: `^${TIME}$`, description });
const hash = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description });

const severity = Type.Enum([...SEVERITIES]);
const verdict = Type.Enum([...VERDICTS], {
  description: 'error: could not look, which is neither a pass nor a failure. manual: a person must look.',
});

const perPlatform = (description: string) =>
  Type.Object(
    {
      any: Type.Optional(text(4000)),
      process: Type.Optional(text(4000)),
      docker: Type.Optional(text(4000)),
      kubernetes: Type.Optional(text(4000)),
    },
    { ...strict, description },
  );

const counts = Type.Object(
  {
    pass: count(),
    fail: count(),
    manual: count(),
    'not-applicable': count(),
    waived: count(),
    error: count(),
  },
  { ...strict, description: 'How many checks got each verdict.' },
);

const waiver = Type.Object(
  {
    check: text(64, 'Id of the check that it is for.'),
    owner: text(256, 'Who answers for it.'),
    reason: text(2048),
    until: Type.String({ pattern: `^${DAY}$`, description: 'Last day on which it counts, UTC.' }),
    since: time('When it was made.'),
    auditLeaf: Type.Optional(count('The leaf of the audit log that it is taken from.')),
  },
  { ...strict, description: 'A decision to live with a failure.' },
);

const evidence = Type.Object(
  {
    subject: text(512, 'What was looked at.'),
    source: Type.Optional(
      Type.Object(
        {
          file: text(1024, 'The file that says what the subject is, relative to where the report was made.'),
          line: Type.Integer({ minimum: 1, description: 'The line in it.' }),
        },
        strict,
      ),
    ),
    observed: Type.Optional(
      Type.Union([
        Type.Boolean(),
        Type.Integer(),
        text(MAX_TEXT_LENGTH),
        Type.Array(text(MAX_TEXT_LENGTH), { maxItems: MAX_SET_SIZE }),
      ]),
    ),
    error: Type.Optional(text(2048, 'Why it could not be seen.')),
    holds: Type.Boolean({ description: 'Whether what was seen is as expected.' }),
  },
  strict,
);

const reference = Type.Object({ standard: text(128), version: text(128), clause: text(128), title: text(512) }, strict);

const result = Type.Object(
  {
    check: text(64, 'Id of the check; never reused.'),
    verdict,
    reason: Type.Optional(text(2048, 'Why, where the verdict does not follow from the evidence.')),
    evidence: Type.Array(evidence, { maxItems: 4096 }),
    waiver: Type.Optional(waiver),
    title: text(256),
    failure: Type.Optional(text(256, 'What is so where it fails.')),
    target: Type.Enum([...TARGETS]),
    severity,
    mode: Type.Enum(['automated', 'manual']),
    fact: Type.Optional(text(128, 'Id of the fact that was judged.')),
    about: Type.Optional(text(512, 'What that fact is, with its unit.')),
    expected: Type.Optional(text(16_384, 'What was expected, in words.')),
    rationale: text(4000),
    remediation: perPlatform('What to do about a failure.'),
    see: perPlatform('How to see it for oneself, without this program.'),
    refs: Type.Array(reference, { maxItems: 64 }),
  },
  { ...strict, description: 'What was found for one check.' },
);

const score = Type.Object(
  {
    value: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: '100 earned / possible, rounded down, and no more than the ceiling.',
    }),
    ceiling: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'Less than 100 while a critical promise is broken, waived or not seen.',
    }),
    earned: count('Sum of the weights of what passed.'),
    possible: count('Sum of the weights of what passed, failed or could not be looked at.'),
    parts: Type.Array(Type.Object({ severity, weight: count(), counted: count(), passed: count() }, strict), {
      maxItems: SEVERITIES.length,
    }),
  },
  strict,
);

const fitness = Type.Object(
  {
    fit: Type.Boolean(),
    reasons: Type.Array(text(512), {
      maxItems: 32,
      description: 'Why not, from the worst; where it is fit: what was accepted in writing.',
    }),
    promises: Type.Array(Type.Object({ check: text(64), severity, verdict, words: text(256) }, strict), {
      maxItems: 4096,
      description: 'Every critical check, and those of the profile patient-data.',
    }),
  },
  { ...strict, description: "Whether the node may hold patients' data, by the same checks whatever the profile." },
);

const posture = Type.Object(
  {
    side: Type.Enum([...SIDES]),
    ...{ passed: count(), failed: count(), waived: count(), unseen: count() },
    worst: Type.Optional(severity),
  },
  { ...strict, description: 'How one side stands, by all automated checks whatever the profile.' },
);

const collection = Type.Object(
  {
    collector: text(64),
    kinds: Type.Array(Type.Enum([...SUBJECT_KINDS]), { maxItems: 64 }),
    // Ids of another version's facts may be unknown here; what matters of them is in the results.
    adds: Type.Array(text(128), { maxItems: 512 }),
    privilege: text(256, 'What it needed to see.'),
    outcome: Type.Enum(['collected', 'not-applicable', 'failed']),
    reason: Type.Optional(text(1024)),
  },
  { ...strict, description: 'Who looked, with which privilege, and what became of it.' },
);

const historyEntry = Type.Object(
  {
    createdAt: time('When it was judged.'),
    profile: text(64),
    score: Type.Integer({ minimum: 0, maximum: 100 }),
    counts,
  },
  strict,
);

/** The report as a file. Published as docs/reference/hardening-report.schema.json. */
export const ReportSchema = Type.Object(
  {
    format: Type.Literal(REPORT_FORMAT),
    createdAt: time('When it was judged.'),
    collectedAt: time('When the facts were collected.'),
    tool: Type.Object({ name: text(64), version: text(64) }, strict),
    node: Type.Object({ id: text(64), target: text(32), network: text(64) }, strict),
    profile: Type.Object({ name: text(64), title: text(256), about: text(4000), threshold: severity }, strict),
    digests: Type.Object(
      {
        benchmark: hash('SHA-256 of the files with the checks.'),
        facts: hash('SHA-256 of the facts as canonical JSON (RFC 8785).'),
      },
      strict,
    ),
    fitness,
    posture: Type.Array(posture, { maxItems: SIDES.length }),
    counts,
    score,
    failed: Type.Array(text(64), { maxItems: 4096, description: 'Ids that failed, at or above the threshold.' }),
    unseen: Type.Array(text(64), {
      maxItems: 4096,
      description: 'Ids that could not be looked at, at or above the threshold.',
    }),
    results: Type.Array(result, { maxItems: 4096 }),
    idleWaivers: Type.Array(waiver, { maxItems: 4096, description: 'Waivers that waived nothing.' }),
    waiversUnknown: Type.Optional(text(2048, 'Why the audit log could not say what is waived: then nothing is.')),
    collections: Type.Array(collection, { maxItems: 256 }),
    history: Type.Array(historyEntry, { maxItems: 4096, description: 'Earlier reports of this node, oldest first.' }),
  },
  strict,
);
