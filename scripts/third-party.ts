/**
 * THIRD-PARTY.md: what the published package and the images contain of others, under which terms, with the texts of the licences.
 * `node scripts/third-party.ts [check]`, from package-lock.json and the installed packages.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string | undefined;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PATH = join(ROOT, 'THIRD-PARTY.md');
/** Packages that a machine may lack, whose old package.json the lockfile does not understand. */
const OPTIONAL_TERMS: Readonly<Record<string, string>> = { buildcheck: 'MIT', 'cpu-features': 'MIT' };
const LICENCE_FILE = /^(licen[cs]e|copying|notice)([-_.].*)?$/i;
/** Terms that a program under Apache-2.0 may come with, without more than their texts. */
const PERMISSIVE = [
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  'BlueOak-1.0.0',
  'Python-2.0',
];
/** Terms that ask for more: how they are met is said in the head of the document. */
const WITH_CONDITIONS = ['MPL-2.0', 'LGPL-3.0+'];

const HEAD = `# What others wrote

Nectar BYON is licensed under Apache-2.0 ([LICENSE](LICENSE)). It runs with the npm packages below; \`node scripts/third-party.ts\` makes this file from the lockfile and the packages themselves. The parts of the operating system in the container images are in each image's SBOM, with their texts under \`/licenses\`.

Three kinds of terms ask for more than their text:

- **MPL-2.0** (\`@ethereumjs/*\`): the packages are used as they are published, unchanged; their source is at the address and version that npm names. The images carry them inside one file of JavaScript, which MPL-2.0 allows in a larger work (3.3).
- **LGPL-3.0-or-later** (\`openpgp\`): used as it is published, unchanged, by the command line only. It lies in \`node_modules/openpgp\` as a package of its own, and anybody may put another version of it in place; it is in no image.
- **Either of two** (\`A OR B\`): the first that is permissive is taken.
`;

function termsOf(license: string): string[] {
  return license.replaceAll(/[()]/g, '').split(/ OR | AND /);
}

function licenceText(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder)
    .filter((name) => LICENCE_FILE.test(name))
    .toSorted();
  const texts = names.map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim());
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function licenceName(folder: string): string | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  const { license, licenses } = JSON.parse(readFileSync(path, 'utf8')) as {
    license?: string;
    licenses?: { type?: string }[];
  };
  return typeof license === 'string' ? license : licenses?.map(({ type }) => type).join(' OR ');
}

function readParts(): Part[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> };
  const parts = new Map<string, Part>();
  for (const [path, entry] of Object.entries(lock.packages)) {
    // One for another system or processor is not here; its sibling for this one has the same terms.
    if (path === '' || entry.dev === true || entry.os !== undefined || entry.cpu !== undefined) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const folder = join(ROOT, path);
    const license = entry.license ?? OPTIONAL_TERMS[name] ?? licenceName(folder) ?? 'none';
    const text = entry.optional === true ? undefined : licenceText(folder);
    parts.set(`${name}@${entry.version}`, { name, version: entry.version ?? '', license, text });
  }
  return [...parts.values()].toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function render(parts: readonly Part[]): string {
  const rows = parts.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  const byText = new Map<string, string[]>();
  for (const { name, version, text } of parts)
    if (text !== undefined) byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
  const texts = [...byText].map(([text, names]) => `### ${names.join(', ')}\n\n\`\`\`\`text\n${text}\n\`\`\`\``);
  return [
    HEAD,
    '## Packages\n',
    '| package | version | licence |',
    '|---|---|---|',
    ...rows,
    '',
    '## Texts\n',
    texts.join('\n\n'),
    '',
  ].join('\n');
}

const parts = readParts();
const known = [...PERMISSIVE, ...WITH_CONDITIONS];
const refused = parts.filter(({ license }) => !termsOf(license).some((term) => known.includes(term)));
if (refused.length > 0) {
  process.stderr.write(
    `terms that nobody has looked at: ${refused.map(({ name, license }) => `${name} (${license})`).join(', ')}\n`,
  );
  process.exit(1);
}
const wanted = render(parts);
if (process.argv[2] !== 'check') writeFileSync(PATH, wanted);
else if (!existsSync(PATH) || readFileSync(PATH, 'utf8') !== wanted) {
  process.stderr.write('THIRD-PARTY.md is stale: run node scripts/third-party.ts\n');
  process.exitCode = 1;
}
