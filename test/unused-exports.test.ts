import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What is exported from a room of the program is used in another file. protocol/, machine/ and coding/ are read by others: theirs may be for them. */
const ROOMS = ['sim', 'appliance', 'cli', 'hardening', 'images', 'scripts', 'bench'];
const READERS = [...ROOMS, 'protocol', 'machine', 'coding', 'test', 'contracts'];
/** Values: a type of a public signature may have no other user. */
const EXPORT = /^export (?:async )?(?:function\*?|const|let|class) ([A-Za-z_$][\w$]*)/gm;

const root = fileURLToPath(new URL('..', import.meta.url));
const texts = new Map(
  globSync(
    READERS.map((room) => `${room}/**/*.{ts,mjs}`),
    { cwd: root },
  )
    .filter((file) => !file.includes('node_modules/'))
    .map((file) => [file, readFileSync(`${root}${file}`, 'utf8')]),
);
/** How many files have a word. A word in a text or a comment counts as use: this test finds what nobody even names. */
const files = new Map<string, number>();
for (const text of texts.values())
  for (const word of new Set(text.match(/[A-Za-z_$][\w$]*/g))) files.set(word, (files.get(word) ?? 0) + 1);

test('exports nothing that no other file names: drop `export`, or the whole where nothing uses it', () => {
  const unused = [...texts]
    .filter(([file]) => ROOMS.some((room) => file.startsWith(`${room}/`)) && !file.includes('/generated/'))
    .flatMap(([file, text]) =>
      [...text.matchAll(EXPORT)]
        .filter(([, name = '']) => files.get(name) === 1)
        .map(([, name = '']) => `${file}: ${name}`),
    );
  assert.deepEqual(unused, []);
});
