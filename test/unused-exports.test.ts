import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What is exported from a room of the program is used in another file. protocol/, machine/ and coding/ are read by others: theirs may be for them. */
const ROOMS = ['sim', 'appliance', 'cli', 'hardening', 'images', 'scripts', 'bench'];
const READERS = [...ROOMS, 'protocol', 'machine', 'coding', 'test', 'contracts'];
/** Values: a type of a public signature may have no other user. */
const EXPORT = /^export (?:async )?(?:function\*?|const|let|class) ([A-Za-z_$][\w$]*)/gm;
/** `import`, `export ... from`, `import(...)` and the path of a file that is given as such (`new URL('./x.ts', import.meta.url)`). */
const PATH = /['"](\.{1,2}\/[^'"]+\.(?:ts|mjs|js))['"]/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?:^|\s)\/\/.*$/gm;
const WORD = /[A-Za-z_$][\w$]*/g;

interface Source {
  readonly text: string;
  readonly words: ReadonlySet<string>;
  /** Files that it names. */
  readonly names: ReadonlySet<string>;
}

const root = fileURLToPath(new URL('..', import.meta.url));

function read(file: string): Source {
  const text = readFileSync(`${root}${file}`, 'utf8').replaceAll(COMMENT, '');
  const names = [...text.matchAll(PATH)].map(([, path = '']) => normalize(join(dirname(file), path)));
  return { text, words: new Set(text.match(WORD)), names: new Set(names) };
}

const sources = new Map(
  globSync(
    READERS.map((room) => `${room}/**/*.{ts,mjs}`),
    { cwd: root },
  )
    .filter((file) => !file.includes('node_modules/'))
    .map((file) => [file.replaceAll('\\', '/'), read(file)]),
);

const namedBy = new Map<string, string[]>();
for (const [file, { names }] of sources)
  for (const name of names) namedBy.set(name, [...(namedBy.get(name) ?? []), file]);

const REEXPORT = /export (?:type )?(?:\*|\{[^}]*\}) from ['"](\.[^'"]+)['"]/g;

/** Whether a file hands everything that it names of another one on: then its readers count, and not itself. */
function handsOn(file: string, of: string): boolean {
  const { text = '' } = sources.get(file) ?? {};
  const handed = [...text.matchAll(REEXPORT)].filter(([, path = '']) => normalize(join(dirname(file), path)) === of);
  const rest = text.replaceAll(REEXPORT, '');
  return (
    handed.length > 0 && ![...rest.matchAll(PATH)].some(([, path = '']) => normalize(join(dirname(file), path)) === of)
  );
}

/** Whether a file that reads this one, or what hands it on, names the value. */
function isUsed(file: string, value: string): boolean {
  return (namedBy.get(file) ?? []).some((reader) => {
    if (sources.get(reader)?.words.has(value) !== true) return false;
    return handsOn(reader, file) ? isUsed(reader, value) : true;
  });
}

test('exports nothing that no other file reads: drop `export`, or the whole where nothing uses it', () => {
  const unused = [...sources]
    .filter(([file]) => ROOMS.some((room) => file.startsWith(`${room}/`)) && !file.includes('/generated/'))
    .flatMap(([file, { text }]) =>
      [...text.matchAll(EXPORT)].filter(([, name = '']) => !isUsed(file, name)).map(([, name]) => `${file}: ${name}`),
    );
  assert.deepEqual(unused, []);
});
