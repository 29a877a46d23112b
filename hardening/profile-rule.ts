import Type, { type Static } from 'typebox';
import { type Check, type Profile, SEVERITIES } from './check.ts';
import { type Parsed, parseEntry } from './parse-entry.ts';

const strict = { additionalProperties: false };
const profileName = Type.String({ pattern: '^[a-z][a-z0-9-]{1,30}$' });

/** Which checks a rule finds. */
const Rule = Type.Union([
  Type.Literal('all'),
  /** Those that name the profile. */
  Type.Literal('named'),
  Type.Object({ cites: Type.String({ minLength: 2, maxLength: 60 }) }, strict),
  Type.Object({ area: Type.String({ pattern: '^[A-Z0-9]{2,4}$' }) }, strict),
  /** Automated ones of that severity. */
  Type.Object({ severity: Type.Enum([...SEVERITIES]) }, strict),
  /** Those of another profile, whose own rules name no profile. */
  Type.Object({ profile: profileName }, strict),
]);
type Rule = Static<typeof Rule>;

/** A profile as it stands in a file of hardening/profiles/. */
const ProfileEntry = Type.Object(
  {
    name: profileName,
    title: Type.String({ minLength: 4, maxLength: 120 }),
    about: Type.String({ minLength: 8, maxLength: 2000 }),
    threshold: Type.Enum([...SEVERITIES]),
    checks: Type.Array(Rule, { minItems: 1, uniqueItems: true }),
  },
  strict,
);
export type ProfileEntry = Static<typeof ProfileEntry>;

/** A check with the profiles that it names: what the rules see. */
export interface NamingCheck {
  readonly check: Check;
  readonly profiles: readonly string[];
}

export function parseProfile(entry: unknown): Parsed<ProfileEntry> {
  return parseEntry(ProfileEntry, entry);
}

/** The profile with every check that one of its rules finds, in the order of the checks. */
export function toProfile(
  entry: ProfileEntry,
  entries: readonly ProfileEntry[],
  checks: readonly NamingCheck[],
): Profile {
  const found = checks.filter((one) => entry.checks.some((rule) => finds(rule, one, { entry, entries })));
  return { ...entry, checks: found.map(({ check }) => check.id) };
}

interface Scope {
  readonly entry: ProfileEntry;
  readonly entries: readonly ProfileEntry[];
}

function finds(rule: Rule, { check, profiles }: NamingCheck, { entry, entries }: Scope): boolean {
  if (rule === 'all') return true;
  if (rule === 'named') return profiles.includes(entry.name);
  if ('cites' in rule) return check.refs.some(({ standard }) => standard === rule.cites);
  if ('area' in rule) return check.id.startsWith(`BYON-${rule.area}-`);
  if ('severity' in rule) return check.mode === 'automated' && check.severity === rule.severity;
  const other = entries.find(({ name }) => name === rule.profile);
  return (
    other?.checks.some(
      (inner) => !namesProfile(inner) && finds(inner, { check, profiles }, { entry: other, entries: [] }),
    ) ?? false
  );
}

/** Names that lead nowhere: a rule of a profile, or a check, that would silently find nothing. */
export function profileProblems(entries: readonly ProfileEntry[], checks: readonly NamingCheck[]): string[] {
  const taking = entries.filter(({ checks: rules }) => rules.includes('named')).map(({ name }) => name);
  return [
    ...entries.flatMap(({ name, checks: rules }) =>
      rules.filter(namesProfile).flatMap(({ profile }) => {
        const other = entries.find((candidate) => candidate.name === profile);
        if (other === undefined) return [`profile ${name}: there is no profile ${profile}`];
        return other.checks.some(namesProfile) ? [`profile ${name}: profile ${profile} names a profile itself`] : [];
      }),
    ),
    ...checks.flatMap(({ check: { id }, profiles }) =>
      profiles.filter((name) => !taking.includes(name)).map((name) => `${id}: no profile ${name} takes checks by name`),
    ),
  ];
}

function namesProfile(rule: Rule): rule is { profile: string } {
  return typeof rule === 'object' && 'profile' in rule;
}
