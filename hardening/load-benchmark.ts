import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { NectarError } from '../protocol/errors.ts';
import type { Benchmark, Check, Profile } from './check.ts';
import { parseCheck } from './parse-check.ts';
import type { Parsed } from './parse-entry.ts';
import { type NamingCheck, parseProfile, profileProblems, toProfile } from './profile-rule.ts';
import { parseStandard, referencesOf, standardProblems } from './standard.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** The folder with checks/, profiles/ and standards/ that this program came with: this one in a clone, `hardening/` beside the bundle. */
const BENCHMARK_FOLDER =
  [import.meta.dirname, join(import.meta.dirname, 'hardening')].find((folder) => existsSync(join(folder, 'checks'))) ??
  import.meta.dirname;

/**
 * Reads every standard, every check and every profile, and refuses all of them when anything in any of them is unknown: a check that silently
 * does not run is worse than none.
 *
 * @throws NectarError HARDENING_CHECKS_INVALID with every problem at once
 */
export function loadBenchmark(folder: string = BENCHMARK_FOLDER): Benchmark {
  const digest = createHash('sha256');
  const problems: string[] = [];
  function load<T>(name: string, parseOne: (entry: unknown) => Parsed<T>): T[] {
    return yamlFiles(join(folder, name)).flatMap(({ file, text }) => {
      digest.update(`${name}/${file}\0${text}\0`);
      return entriesOf(file, text, problems).flatMap((entry) => {
        const parsed = parseOne(entry);
        if ('value' in parsed) return [parsed.value];
        problems.push(...parsed.problems.map((problem) => `${file}: ${problem}`));
        return [];
      });
    });
  }
  const standards = load('standards', parseStandard);
  const known = referencesOf(standards);
  const naming = load<NamingCheck>('checks', (entry) => parseCheck(entry, known));
  const entries = load('profiles', parseProfile);
  const checks = naming.map(({ check }) => check);
  const profiles = entries.map((entry) => toProfile(entry, entries, naming));
  if (problems.length === 0) {
    problems.push(...doubledNames(checks, profiles), ...profileProblems(entries, naming));
    problems.push(...standardProblems(standards, checks));
  }
  if (problems.length > 0) throw new NectarError('HARDENING_CHECKS_INVALID', { folder, problems });
  return { checks, profiles, standards, digest: digest.digest('hex') };
}

/** @throws NectarError HARDENING_PROFILE_UNKNOWN */
export function getProfile({ profiles }: Benchmark, name: string): Profile {
  const profile = profiles.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    throw new NectarError('HARDENING_PROFILE_UNKNOWN', { profile: name, known: profiles.map((known) => known.name) });
  }
  return profile;
}

/** The checks of a profile, in the order in which the files have them. */
export function checksOf({ checks }: Benchmark, profile: Profile): Check[] {
  return checks.filter(({ id }) => profile.checks.includes(id));
}

/** @throws NectarError HARDENING_CHECK_UNKNOWN */
export function getCheck({ checks }: Benchmark, id: string): Check {
  const check = checks.find((candidate) => candidate.id === id);
  if (check === undefined) throw new NectarError('HARDENING_CHECK_UNKNOWN', { id });
  return check;
}

function yamlFiles(folder: string): { file: string; text: string }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));
}

function entriesOf(file: string, text: string, problems: string[]): unknown[] {
  if (text.length > MAX_FILE_BYTES) {
    problems.push(`${file}: longer than ${MAX_FILE_BYTES} bytes`);
    return [];
  }
  try {
    // No aliases: none of ours needs one, and a nest of them is a bomb.
    const document = parseDocument(text, { uniqueKeys: true });
    // A warning is of something unknown too: a tag, a directive.
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    if (Array.isArray(value)) return value;
    problems.push(`${file}: not a list`);
  } catch (error) {
    problems.push(`${file}: not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  return [];
}

function doubledNames(checks: readonly Check[], profiles: readonly Profile[]): string[] {
  return [
    ...twice(checks.map(({ id }) => id)).map((id) => `${id} occurs twice`),
    ...twice(profiles.map(({ name }) => name)).map((name) => `profile ${name} occurs twice`),
    ...profiles.filter(({ checks: found }) => found.length === 0).map(({ name }) => `profile ${name} has no check`),
  ];
}

function twice(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
