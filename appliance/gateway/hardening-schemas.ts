import Type, { type Static } from 'typebox';

/** Shapes of what the node keeps of hardening reports: numbers and ids, never the report itself. */

const strict = { additionalProperties: false };
const MAX_IDS = 512;
/** A schedule that is asked for less often than this is none. */
const MAX_EVERY_SECONDS = 31 * 86_400;
const MIN_EVERY_SECONDS = 3_600;

const Instant = (description: string) =>
  Type.String({ description, format: 'date-time', maxLength: 40, examples: ['2026-11-23T06:00:00.000Z'] });
const Count = (description: string) =>
  Type.Integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [0] });
const orNone = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const CheckId = Type.String({ pattern: '^BYON-[A-Z0-9]{2,4}-[0-9]{3}$', examples: ['BYON-CTR-003'] });
const CheckIds = (description: string) =>
  Type.Array(CheckId, { description, maxItems: MAX_IDS, uniqueItems: true, examples: [['BYON-CTR-003']] });
const ProfileName = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', examples: ['node'] });
const FileDigest = Type.String({
  description: 'SHA-256, hex.',
  pattern: '^[0-9a-f]{64}$',
  examples: ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
});
const EverySeconds = Type.Integer({
  description: 'Seconds between scheduled runs.',
  minimum: MIN_EVERY_SECONDS,
  maximum: MAX_EVERY_SECONDS,
  examples: [86_400],
});
const AuditLeaf = Count('Index of the audit leaf that records this.');

const VerdictCounts = Type.Object(
  {
    pass: Count('Checks that hold.'),
    fail: Count('Checks that do not.'),
    manual: Count('Checks for a person.'),
    'not-applicable': Count('Checks with nothing to judge here.'),
    waived: Count('Failures that somebody answers for.'),
    error: Count('Checks whose facts could not be seen.'),
  },
  strict,
);

const Fitness = {
  fit: Type.Boolean({
    description: "Whether the node may hold patients' data, whatever the profile.",
    examples: [false],
  }),
  reasons: Type.Array(Type.String({ minLength: 1, maxLength: 300, pattern: '^[^;]+$' }), {
    description: 'Why not, from the worst; where it is fit: what was accepted in writing.',
    maxItems: 32,
    examples: [['the data disk is not encrypted']],
  }),
};

export const HardeningReportNote = Type.Object(
  {
    digest: FileDigest,
    file: Type.Optional(
      Type.Object(
        { format: Type.String({ pattern: '^[a-z]{1,16}$', examples: ['html'] }), digest: FileDigest },
        { description: 'The file that was written, where it is not the JSON document.', ...strict },
      ),
    ),
    signer: Type.Optional(
      Type.String({
        description: 'Fingerprint of the OpenPGP key that signed it.',
        pattern: '^([0-9A-F]{40}|[0-9A-F]{64})$',
        examples: ['0123456789ABCDEF0123456789ABCDEF01234567'],
      }),
    ),
    collectedAt: Instant('When the facts were collected.'),
    profile: ProfileName,
    threshold: Type.Enum(['critical', 'high', 'medium', 'low'], { examples: ['medium'] }),
    score: Type.Integer({ minimum: 0, maximum: 100, examples: [100] }),
    counts: VerdictCounts,
    failed: CheckIds('Checks that failed at or above the threshold.'),
    unseen: CheckIds('Checks that could not be looked at, at or above the threshold.'),
    failedBelow: Type.Optional(CheckIds('Checks that failed below the threshold.')),
    waived: Type.Optional(CheckIds('Checks that fail and are waived.')),
    waivedCritical: Type.Optional(CheckIds('Of the waived ones: the critical.')),
    fitness: Type.Optional(Type.Object(Fitness, strict)),
  },
  { description: 'A hardening report that was made: its digest and what it found.', ...strict },
);
export type HardeningReportNote = Static<typeof HardeningReportNote>;

export const RecordedReport = Type.Object(
  {
    ...HardeningReportNote.properties,
    at: Instant('When it was recorded.'),
    auditLeaf: AuditLeaf,
    drifted: CheckIds('Of the failed ones: those that did not fail in an earlier recorded report of the same profile.'),
  },
  { description: 'A hardening report on record.', ...strict },
);
export type RecordedReport = Static<typeof RecordedReport>;

export const WaiverNote = Type.Object(
  {
    change: Type.Enum(['made', 'removed'], { examples: ['made'] }),
    check: CheckId,
    owner: Type.String({ minLength: 1, maxLength: 128, examples: ['it@clinic.example'] }),
    reason: Type.String({ minLength: 1, maxLength: 1024, examples: ['replaced in January'] }),
    until: Type.String({ format: 'date', maxLength: 10, examples: ['2027-01-31'] }),
  },
  { description: 'A waiver that somebody made or removed.', ...strict },
);
export type WaiverNote = Static<typeof WaiverNote>;

export const LoggedWaiver = Type.Object(
  {
    check: CheckId,
    owner: Type.String({ minLength: 1, maxLength: 128, examples: ['it@clinic.example'] }),
    reason: Type.String({ minLength: 1, maxLength: 1024, examples: ['replaced in January'] }),
    until: Type.String({ format: 'date', maxLength: 10, examples: ['2027-01-31'] }),
    since: Instant('Time of its leaf.'),
    by: Type.String({ description: 'Whose token made it.', maxLength: 256, examples: ['owner'] }),
    profile: ProfileName,
    auditLeaf: AuditLeaf,
  },
  { description: 'A waiver as its leaf of the audit log states it.', ...strict },
);
export type LoggedWaiver = Static<typeof LoggedWaiver>;

export const LoggedWaivers = Type.Object(
  { waivers: Type.Array(LoggedWaiver, { maxItems: MAX_IDS, description: 'Those that are over are among them.' }) },
  { description: 'What is waived, by the audit log.', ...strict },
);
export type LoggedWaivers = Static<typeof LoggedWaivers>;

export const ScheduleNote = Type.Object(
  { everySeconds: orNone(EverySeconds), profile: ProfileName },
  { description: 'How often a report is to come; null: not any more.', ...strict },
);
export type ScheduleNote = Static<typeof ScheduleNote>;

export const OnRecord = Type.Object({ auditLeaf: AuditLeaf }, { description: 'It is in the audit log.', ...strict });

const Schedule = Type.Object(
  { everySeconds: EverySeconds, profile: ProfileName, since: Instant('When it was set.') },
  strict,
);

export const HardeningOverview = Type.Object(
  {
    schedule: orNone(Schedule),
    overdue: Type.Boolean({ description: 'Whether no report came within two intervals of the schedule.' }),
    reports: Type.Array(RecordedReport, { description: 'The newest of each profile.' }),
  },
  { description: 'What is on record of hardening reports.', ...strict },
);
export type HardeningOverview = Static<typeof HardeningOverview>;

/** The part of NodeStatus: of the scheduled profile, else of the newest report; fitness is of the newest report of any profile. */
export const HardeningStatus = Type.Object(
  {
    lastAt: orNone(Instant('When the last report was recorded.')),
    profile: Type.String({ examples: ['node'] }),
    score: orNone(Type.Integer({ minimum: 0, maximum: 100 })),
    failed: Count('Checks that failed at or above the threshold.'),
    unseen: Count('Checks that could not be looked at.'),
    drifted: Count('Failed checks that did not fail before.'),
    waived: Count('Checks that fail and are waived.'),
    waivedCritical: Count('Of the waived ones: the critical.'),
    everySeconds: orNone(EverySeconds),
    overdue: Type.Boolean({ description: 'Whether no report came within two intervals of the schedule.' }),
    fitness: Type.Optional(
      orNone(Type.Object({ ...Fitness, at: Instant('When the report that says so was recorded.') }, strict)),
    ),
  },
  strict,
);
export type HardeningStatus = Static<typeof HardeningStatus>;

/** The file in which the node keeps it: HOME/hardening.json. */
export const HardeningFile = Type.Object(
  {
    version: Type.Literal(1),
    schedule: orNone(Schedule),
    reports: Type.Array(RecordedReport, { maxItems: 64 }),
  },
  strict,
);
export type HardeningFile = Static<typeof HardeningFile>;
