import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The budget of the house: a file that needs more is two files, unless it is here with the reason and what it may have at most. */
const MAX_LINES = 300;
const ROOMS = [
  'protocol',
  'coding',
  'sim',
  'appliance',
  'cli',
  'hardening',
  'images',
  'scripts',
  'bench',
  'test',
  'contracts',
];
const EXCUSED: Record<string, readonly [maxLines: number, reason: string]> = {
  'scripts/launch.mjs': [320, 'runs before anything is installed, and is shipped as one file'],
  'test/architecture.test.ts': [360, "one table of every room's packages"],
  'test/compliance/store.ts': [550, 'one list of what every form of the store does'],
  'test/e2e/damage.test.ts': [350, 'one node is damaged in many ways: it is built once'],
  'test/e2e/story.ts': [450, 'one story, told in order'],
  'test/unit/appliance/audit/freshness.test.ts': [480, 'one table of states put back'],
  'test/unit/appliance/store/freshness.test.ts': [390, 'one table of states put back'],
  'test/unit/appliance/crossing/hostile.test.ts': [410, 'one list of what a hostile role sends'],
  'test/unit/appliance/gateway/doubles.ts': [455, 'the doubles of one interface'],
  'test/unit/appliance/store/store.test.ts': [320, 'one list of what a store does'],
  'test/unit/cli/life/backup.test.ts': [380, 'one home is backed up in many ways'],
  'test/unit/cli/life/repository/repository.test.ts': [320, 'one repository is backed up to in many ways'],
  'test/unit/hardening/collectors/containers.test.ts': [340, 'answers of an engine beside what is read in them'],
  'test/unit/hardening/collectors/images.test.ts': [320, 'answers of an engine beside what is read in them'],
  'test/unit/hardening/collectors/kubernetes.test.ts': [420, 'answers of a cluster beside what is read in them'],
  'test/unit/hardening/collectors/processes.test.ts': [400, 'answers of a kernel beside what is read in them'],
};

const root = fileURLToPath(new URL('..', import.meta.url));
const lengths = new Map(
  globSync(
    ROOMS.map((room) => `${room}/**/*.{ts,mjs}`),
    { cwd: root },
  )
    .filter((file) => !file.includes('/generated/') && !file.includes('node_modules/'))
    .map((file) => [file, readFileSync(`${root}${file}`, 'utf8').split('\n').length - 1]),
);

test('keeps every file within the budget, or within what it is excused to', () => {
  const long = [...lengths].filter(([file, lines]) => lines > (EXCUSED[file]?.[0] ?? MAX_LINES));
  assert.deepEqual(long, []);
});

test('excuses no file that is gone or fits by now', () => {
  const idle = Object.keys(EXCUSED).filter((file) => (lengths.get(file) ?? 0) <= MAX_LINES);
  assert.deepEqual(idle, []);
});
