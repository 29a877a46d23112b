/**
 * `npm test`: every suite that this machine can run, in order, with one closing report. Suites that need what is not here say so;
 * with CI=true nothing may skip.
 *
 * node scripts/test.ts [unit|contracts|compliance|integration|vectors|interop|e2e|cluster ...] [-- node:test flags]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { skip as clusterSkip } from '../test/cluster/cluster.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Suite {
  readonly name: string;
  readonly files: string;
  /** How many test files run at once. Stories wait more than they work: two of them share two cores well. */
  readonly concurrency: number;
  /** Run when it is named, and not with all the others. */
  readonly isOnRequest?: boolean;
}

const SUITES: readonly Suite[] = [
  { name: 'architecture', files: 'test/*.test.ts', concurrency: 2 },
  { name: 'unit', files: 'test/unit/**/*.test.ts', concurrency: 2 },
  { name: 'contracts', files: 'test/contracts/**/*.test.ts', concurrency: 1 },
  { name: 'compliance', files: 'test/compliance/**/*.test.ts', concurrency: 2 },
  { name: 'vectors', files: 'test/vectors/**/*.test.ts', concurrency: 2 },
  { name: 'integration', files: 'test/integration/{*,network/*,roles/*,rollup/*,weakened/*}.test.ts', concurrency: 2 },
  { name: 'interop', files: 'test/interop/**/*.test.ts', concurrency: 1 },
  { name: 'images', files: 'test/integration/images/*.test.ts', concurrency: 2 },
  { name: 'containers', files: 'test/integration/docker/*.test.ts', concurrency: 2 },
  { name: 'e2e', files: 'test/e2e/**/*.test.ts', concurrency: 2 },
  // Last, and alone: a cluster shares the rules of the kernel's network with docker.
  { name: 'cluster', files: 'test/cluster/*.test.ts', concurrency: 1, isOnRequest: true },
];

/** No suite takes so long: one that does has a file that left something running, which node:test waits for without an end. */
const SUITE_MINUTES = 25;

const args = process.argv.slice(2);
const split = args.indexOf('--');
const names = split < 0 ? args : args.slice(0, split);
const flags = split < 0 ? [] : args.slice(split + 1);
const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown suite ${unknown.join(', ')}; one of ${SUITES.map((suite) => suite.name).join(', ')}\n`);
  process.exit(2);
}

let failed = false;
const rows: string[] = [];
for (const suite of SUITES) {
  if (names.length > 0 ? !names.includes(suite.name) : suite.isOnRequest === true) continue;
  const files = globSync(suite.files, { cwd: root });
  if (files.length === 0) continue;
  process.stdout.write(`\n== ${suite.name}: ${files.length} files\n`);
  const started = Date.now();
  const reporter = process.env.NECTAR_TEST_REPORTER ?? 'dot';
  const result = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${suite.concurrency}`,
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/test-summary.ts',
      '--test-reporter-destination=stdout',
      ...flags,
      ...files,
    ],
    { cwd: root, stdio: 'inherit', env: process.env, timeout: SUITE_MINUTES * 60_000 },
  );
  const isOver = (result.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';
  if (isOver) process.stdout.write(`\n${suite.name} was ended after ${SUITE_MINUTES} minutes\n`);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  rows.push(`${suite.name.padEnd(14)} ${result.status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  failed ||= result.status !== 0;
}

process.stdout.write(`\n${rows.join('\n')}\n`);
if (!existsSync(`${root}/../shared/data`))
  process.stdout.write('not run: the full data and vector sets (no ../shared beside this clone)\n');
if (!existsSync('/var/run/docker.sock') && process.env.DOCKER_HOST === undefined) {
  process.stdout.write('not run: what needs a container engine (none answers on this machine)\n');
}
if (!names.includes('cluster'))
  process.stdout.write('not run: the cluster suite (it takes the machine for itself: npm test -- cluster)\n');
else if (clusterSkip !== false) process.stdout.write(`not run: the cluster suite (${clusterSkip})\n`);
process.exit(failed ? 1 : 0);
