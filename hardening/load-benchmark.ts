import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { NectarError } from '../protocol/errors.ts';
import type { Benchmark, Check, Profile } from './check.ts';
import { type Parsed, type ProfileEntry, parseCheck, parseProfile } from './parse-check.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** The folder with checks/ and profiles/ that this program came with: this one in a clone, `hardening/` beside the bundle. */
const BENCHMARK_FOLDER =
  [import.meta.dirname, join(import.meta.dirname, 'hardening')].find((folder) => existsSync(join(folder, 'checks'))) ??
  import.meta.dirname;

/**
 * Reads every check and every profile, and refuses all of them when anything in any of them is unknown: a check that silently
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
  const checks = load<Check>('checks', parseCheck);
  const profiles = load<ProfileEntry>('profiles', parseProfile).map((entry) => toProfile(entry, checks));
  if (problems.length === 0) problems.push(...benchmarkProblems(checks, profiles));
  if (problems.length > 0) throw new NectarError('HARDENING_CHECKS_INVALID', { folder, problems });
  return { checks, profiles, digest: digest.digest('hex') };
}

function toProfile({ checks: rule, ...entry }: ProfileEntry, checks: readonly Check[]): Profile {
  if (Array.isArray(rule)) return { ...entry, checks: rule };
  const found =
    rule === 'all' ? checks : checks.filter(({ refs }) => refs.some(({ standard }) => standard === rule.cites));
  return { ...entry, checks: found.map(({ id }) => id) };
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

function benchmarkProblems(checks: readonly Check[], profiles: readonly Profile[]): string[] {
  const ids = checks.map(({ id }) => id);
  const names = profiles.map(({ name }) => name);
  return [
    ...twice(ids).map((id) => `${id} occurs twice`),
    ...twice(names).map((name) => `profile ${name} occurs twice`),
    ...profiles.filter(({ checks: listed }) => listed.length === 0).map(({ name }) => `profile ${name} has no check`),
    ...profiles.flatMap(({ name, checks: listed }) =>
      listed.filter((id) => !ids.includes(id)).map((id) => `profile ${name}: there is no check ${id}`),
    ),
  ];
}

function twice(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
