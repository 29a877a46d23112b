/**
 * Slither over contracts/src: every finding that is not explained in contracts/slither/findings.json is an error, and so is an
 * explanation without a finding.
 *
 *   npm run slither      slither and its packages come from PyPI, pinned by hash in contracts/slither/requirements.txt, into a virtual
 *                        environment under node_modules/.cache; needs python3 with venv
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOCK = join(ROOT, 'contracts/slither/requirements.txt');
const EXPLAINED = join(ROOT, 'contracts/slither/findings.json');
const FOLDER = join(ROOT, 'node_modules/.cache/slither');

interface Explanation {
  readonly detector: string;
  /** Contract.function; `*` for wherever the detector says it. */
  readonly where: string;
  readonly reason: string;
}

interface Element {
  readonly type: string;
  readonly name: string;
  readonly type_specific_fields?: { readonly parent?: Element };
}

interface Finding {
  readonly check: string;
  readonly impact: string;
  readonly description: string;
  readonly elements: readonly Element[];
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: ROOT, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${program} ${args[0]} ended with ${status}\n${stdout.slice(-4_000)}${stderr.slice(-4_000)}`);
}

/** A virtual environment of exactly what the lock names; made anew when the lock changes. */
function install(): string {
  const digest = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  const venv = join(FOLDER, 'venv');
  const mark = join(venv, 'lock.sha256');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== digest) {
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    run('python3', ['-m', 'venv', venv]);
    // Wheels alone: a source package would run its own code here.
    const flags = ['--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:'];
    run(join(venv, 'bin/pip'), ['install', ...flags, '-r', LOCK]);
    writeFileSync(mark, digest);
  }
  return join(venv, 'bin/slither');
}

/** What slither says; it builds by the forge and the compiler of this project, into a folder of its own. */
function analyze(slither: string): readonly Finding[] {
  const forge = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${platform()}/bin/forge`);
  const answer = join(FOLDER, 'findings.json');
  rmSync(answer, { force: true });
  const path = [dirname(forge), dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const env = {
    ...process.env,
    PATH: path,
    FOUNDRY_OUT: join(FOLDER, 'out'),
    FOUNDRY_CACHE_PATH: join(FOLDER, 'cache'),
  };
  const filters = ['--filter-paths', 'node_modules|test', '--exclude-informational', '--exclude-optimization'];
  run(slither, ['.', ...filters, '--fail-none', '--json', answer], env);
  const { success, error, results } = JSON.parse(readFileSync(answer, 'utf8')) as {
    success: boolean;
    error: string | null;
    results: { detectors?: readonly Finding[] };
  };
  if (!success) throw new Error(`slither: ${error}`);
  return results.detectors ?? [];
}

function platform(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

/** Contract.function of what a finding is about first. */
function placeOf({ elements }: Finding): string {
  const chainOf = (element: Element | undefined): readonly string[] =>
    element === undefined ? [] : [...chainOf(element.type_specific_fields?.parent), `${element.type}:${element.name}`];
  const names = elements.map(chainOf).find((chain) => chain.some((each) => each.startsWith('function:'))) ?? [];
  const name = (type: string): string =>
    names.find((each) => each.startsWith(`${type}:`))?.slice(type.length + 1) ?? '?';
  return `${name('contract')}.${name('function')}`;
}

const findings = analyze(install());
const explained = JSON.parse(readFileSync(EXPLAINED, 'utf8')) as readonly Explanation[];
const explains = ({ detector, where }: Explanation, finding: Finding): boolean =>
  detector === finding.check && (where === '*' || where === placeOf(finding));
const open = findings.filter((finding) => !explained.some((each) => explains(each, finding)));
const idle = explained.filter((each) => !findings.some((finding) => explains(each, finding)));
for (const finding of open)
  process.stdout.write(`${finding.impact} ${finding.check} at ${placeOf(finding)}\n${finding.description}\n`);
for (const { detector, where } of idle) process.stdout.write(`explained, but not found: ${detector} at ${where}\n`);
process.stdout.write(
  `slither: ${findings.length} findings, ${findings.length - open.length} explained, ${open.length} open\n`,
);
process.exitCode = open.length + idle.length > 0 ? 1 : 0;
