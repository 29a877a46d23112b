/**
 * A release: built, signed, verified (docs/design/0026).
 *
 *   release.ts keygen --keys DIR (--passphrase-file F | --no-passphrase)    the two keys of releases, and their public file
 *   release.ts build [--source URI] [--builder URI]                         dist/release/, from a clean tree
 *   release.ts sign --keys DIR [--passphrase-file F]                        signs dist/release/, writes its bundles
 *   release.ts verify --release-key FILE                                    every signature and artifact of dist/release/
 *
 * --folder DIR names another folder than dist/release/. Exit codes: 0 ok, 2 usage, 3 check failed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readReleaseKeys } from '../cli/release/release-keys.ts';
import { NectarError } from '../protocol/errors.ts';
import { buildRelease } from './release/build-release.ts';
import { KEY_FILES, makeReleaseKeys } from './release/make-keys.ts';
import { openSigningKeys } from './release/sign-files.ts';
import { signRelease } from './release/sign-release.ts';
import { verifyFolder } from './release/verify-folder.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: fileURLToPath(new URL('../dist/release', import.meta.url)) },
    keys: { type: 'string' },
    'passphrase-file': { type: 'string' },
    'no-passphrase': { type: 'boolean' },
    'release-key': { type: 'string' },
    source: { type: 'string', default: 'urn:nectar-byon:source' },
    builder: { type: 'string', default: 'urn:nectar-byon:builder:by-hand' },
  },
});

class UsageError extends Error {}

function required(option: 'keys' | 'release-key'): string {
  const value = values[option];
  if (value === undefined) throw new UsageError(`--${option} is missing`);
  return value;
}

function passphrase(): string | undefined {
  const file = values['passphrase-file'];
  return file === undefined ? undefined : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
}

async function keygen(): Promise<void> {
  const folder = required('keys');
  if (passphrase() === undefined && values['no-passphrase'] !== true)
    throw new UsageError('name --passphrase-file, or say --no-passphrase');
  const { keyid, fingerprint } = await makeReleaseKeys(folder, passphrase());
  say(`${join(folder, KEY_FILES.published)}: publish it, and these:`);
  say(`  Ed25519  ${keyid}`);
  say(`  OpenPGP  ${fingerprint}`);
}

async function build(): Promise<void> {
  const { folder, source, builder } = values;
  const { subjects } = await buildRelease({ folder, source, builder });
  for (const [name, sha256] of Object.entries(subjects)) say(`${sha256}  ${name}`);
}

async function sign(): Promise<void> {
  const bundles = await signRelease(values.folder, await openSigningKeys(required('keys'), passphrase()));
  for (const name of ['release', ...bundles]) say(`signed: ${name}`);
}

async function verify(): Promise<void> {
  const names = await verifyFolder(values.folder, await readReleaseKeys(required('release-key')));
  say(`${names.length} artifacts: signed, and as signed`);
}

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { keygen, build, sign, verify };
const run = COMMANDS[positionals[0] ?? ''];
try {
  if (run === undefined) throw new UsageError('usage: release.ts keygen|build|sign|verify (see the head of the file)');
  await run();
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`${error instanceof NectarError ? `${error.code}: ${message}` : message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 3;
}
