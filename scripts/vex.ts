/**
 * images/nectar-byon.openvex.json (OpenVEX 0.2.0): of which known vulnerability, in which package that comes along, somebody judged what
 * it means here. What nobody judged is not in it. A judgement is of one version: with another in the lockfile it has to be made again.
 * `node scripts/vex.ts [check]`
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../cli/version.ts';
import { npmPurl } from '../images/sbom.ts';

interface Judgement {
  readonly vulnerability: string;
  /** Of GitHub's database of advisories. */
  readonly alias: string;
  readonly name: string;
  readonly version: string;
  /** Day on which it was judged. */
  readonly day: string;
  readonly status: 'not_affected';
  readonly justification: 'vulnerable_code_not_in_execute_path' | 'component_not_present';
  readonly why: string;
}

const JUDGEMENTS: readonly Judgement[] = [
  {
    vulnerability: 'CVE-2025-14505',
    alias: 'GHSA-848j-6mx2-7j84',
    name: 'elliptic',
    version: '6.6.1',
    day: '2026-11-30T00:00:00Z',
    status: 'not_affected',
    justification: 'vulnerable_code_not_in_execute_path',
    // test/unit/scripts/vex.test.ts holds this against the sources and the lockfile.
    why: 'elliptic comes with the npm package secp256k1, of which the program imports bindings.js alone (the addon of libsecp256k1); elliptic is loaded by its index.js, which nothing imports. It signs nothing here, and is in no container image.',
  },
];

const PATH = fileURLToPath(new URL('../images/nectar-byon.openvex.json', import.meta.url));
const LOCK = new URL('../package-lock.json', import.meta.url);

function render(): string {
  const days = JUDGEMENTS.map(({ day }) => day).toSorted();
  const document = {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `urn:nectar-byon:vex:${VERSION}:${days.at(-1)}`,
    author: 'Nectar BYON',
    timestamp: days.at(-1),
    version: 1,
    statements: JUDGEMENTS.map(({ vulnerability, alias, name, version, day, status, justification, why }) => ({
      vulnerability: { '@id': `https://github.com/advisories/${alias}`, name: vulnerability },
      timestamp: day,
      products: [{ '@id': `pkg:npm/nectar-byon@${VERSION}`, subcomponents: [{ '@id': npmPurl({ name, version }) }] }],
      status,
      justification,
      impact_statement: why,
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, { version?: string }> };
const old = JUDGEMENTS.filter(({ name, version }) => packages[`node_modules/${name}`]?.version !== version);
if (old.length > 0) {
  const names = old.map(({ vulnerability, name, version }) => `${vulnerability} in ${name} ${version}`).join(', ');
  process.stderr.write(`package-lock.json has another version of what was judged: judge anew or drop ${names}\n`);
  process.exit(1);
}
if (process.argv[2] !== 'check') writeFileSync(PATH, render());
else if (!existsSync(PATH) || readFileSync(PATH, 'utf8') !== render()) {
  process.stderr.write('images/nectar-byon.openvex.json is stale: run npm run generate\n');
  process.exitCode = 1;
}
