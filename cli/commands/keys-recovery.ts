import { createHash, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Key } from 'openpgp';
import { Recorded } from '../../appliance/gateway/schema-parts.ts';
import { byKeyFile, byPassphrase, type Enrolment } from '../../appliance/keys/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { collect, parseCount } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { checkPassphrase, chooseNewPassphrase, readPassphrase } from '../passphrase.ts';
import { hasTarget } from '../provision/docker/target-path.ts';
import { readRunning } from '../provision/process/running.ts';
import { isInteractive, type Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';

interface BackupOptions {
  readonly officer: readonly string[];
  readonly threshold?: number;
  readonly output: string;
  readonly passphraseFile?: string;
}

interface RecoverOptions {
  readonly share: readonly string[];
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

const MAX_OFFICERS = 64;

export function shareOption(): Option {
  return new Option('--share <file>', 'a share of a recovery kit, decrypted by its officer; repeat for more')
    .argParser(collect)
    .default([], 'none');
}

export function registerKeyRecovery(group: Command, terminal: Terminal): void {
  addVerb(group, 'backup', {
    summary: 'seal the root key to recovery officers: any one of them, or several together, open the node again',
    about:
      'Officers are people with an OpenPGP key. With the kit, enough of them and a backup, everything opens, also after every other way in is lost: keep the kit apart from backups. Officers decrypt with gpg alone. It needs the running node (which puts it on record first) and what opens its keys.',
    examples: [
      'keys backup --officer alice.asc --officer bob.asc -o kit.json',
      'keys backup --officer a.asc --officer b.asc --officer c.asc --threshold 2 -o kit.json',
    ],
  })
    .addOption(
      new Option('--officer <file>', 'public OpenPGP key of an officer; repeat for more')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--threshold <n>', 'how many officers are needed (default: any one)').argParser(parseCount))
    .addOption(new Option('-o, --output <file>', 'the kit, a new file').makeOptionMandatory())
    .addOption(passphraseFileOption())
    .action(action(terminal, backup));
  addVerb(group, 'recover', {
    summary: 'open a node with shares of its recovery kit, and enrol a new way to open it',
    about:
      'Each officer takes their message out of the kit and decrypts it: jq -r .officers[0].message kit.json | gpg --decrypt > share.txt. On an empty machine: `restore BACKUP --share ...` first. The node is down meanwhile; its next start puts the change on record.',
    examples: [
      'keys recover --share alice.txt',
      'keys recover --share alice.txt --share carol.txt --key-file /mnt/usb/new.key',
    ],
  })
    .addOption(shareOption())
    .addOption(new Option('--key-file <path>', 'enrol this key file (default: a passphrase, asked for)'))
    .addOption(new Option('--passphrase-file <file>', 'file that holds the new passphrase; - is stdin'))
    .action(action(terminal, recover));
}

async function backup(call: Call<BackupOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  const officers = await readOfficers(options.officer);
  const threshold = options.threshold ?? 1;
  if (threshold < 1 || threshold > officers.length)
    throw new NectarError('CLI_USAGE', { problem: `--threshold is a number from 1 to ${officers.length}` });
  const { readPublicIdentity } = await import('../../appliance/config/identity.ts');
  const { makeKit } = await import('../life/recovery/kit.ts');
  const { nodeId } = readPublicIdentity(home);
  await withNode(call, async (client) => {
    const createdAt = new Date(terminal.now()).toISOString();
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    const kit = await withRootKey(call, (root) =>
      makeKit({ nodeId, createdAt, root, officers, threshold, randomBytes: random }),
    );
    const bytes = Buffer.from(`${JSON.stringify(kit, undefined, 2)}\n`);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const fingerprints = kit.officers.map(({ fingerprint }) => fingerprint);
    // On record before it exists anywhere.
    const note = { digest, threshold, officers: fingerprints };
    const { auditLeaf } = await client.json(Recorded, 'POST', '/v1/keys/kits', note);
    await writeOutputFile(options.output, once(bytes), false);
    output.result({ output: options.output, ...note, auditLeaf }, () => describe(options.output, note, auditLeaf));
  });
}

/** Opened in this process, from the home or from what the volumes of its containers hold; wiped when `work` is over. */
async function withRootKey<T>(call: Call<BackupOptions>, work: (root: Uint8Array) => Promise<T>): Promise<T> {
  const { home, options, terminal } = call;
  const { withSealedFiles } = await import('../life/sealed-files.ts');
  const { unlockKeys } = await import('../life/unlock-keys.ts');
  return withSealedFiles({ home, terminal }, async (sealed) => {
    const keys = await unlockKeys({ home: sealed, terminal, passphraseFile: options.passphraseFile });
    const root = keys.exportRoot();
    try {
      return await work(root);
    } finally {
      root.fill(0);
      await keys.stop();
    }
  });
}

function describe(
  path: string,
  { threshold, officers }: { threshold: number; officers: string[] },
  leaf: number,
): string {
  const who = threshold === 1 ? 'any one' : `${threshold} together`;
  return `${path}: ${who} of ${officers.length} officers open the node (leaf ${leaf})\n${officers.join('\n')}\nKeep it apart from the backups, and let each officer try to decrypt their message now.`;
}

async function recover(call: Call<RecoverOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireProcess(home);
  if (readRunning(home) !== undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
  const { unlockKeys } = await import('../life/unlock-keys.ts');
  const keys = await unlockKeys({ home, terminal, keyFile: '', shares: options.share });
  try {
    const { id } = await keys.enroll(await newWay(options, terminal));
    output.result(
      { id },
      `${id} opens the node from now on: nectar-byon up. Look at \`keys list\` for what else does.`,
    );
  } finally {
    await keys.stop();
  }
}

async function newWay({ keyFile, passphraseFile }: RecoverOptions, terminal: Terminal): Promise<Enrolment> {
  if (keyFile !== undefined) return byKeyFile(resolve(terminal.workingFolder, keyFile));
  if (passphraseFile === undefined && isInteractive(terminal)) return byPassphrase(await chooseNewPassphrase(terminal));
  const passphrase = await readPassphrase(terminal, passphraseFile);
  await checkPassphrase(passphrase);
  return byPassphrase(passphrase);
}

async function readOfficers(files: readonly string[]): Promise<Key[]> {
  if (files.length === 0) throw new NectarError('CLI_USAGE', { problem: 'name at least one --officer' });
  const { fingerprintOf, readKeyFile } = await import('../harden/report-key.ts');
  const keys = (await Promise.all(files.map((file) => readKeyFile(file)))).flat();
  const known = new Set(keys.map(fingerprintOf));
  if (known.size !== keys.length || keys.length > MAX_OFFICERS)
    throw new NectarError('CLI_USAGE', { problem: `officers are up to ${MAX_OFFICERS} different keys` });
  return keys;
}

/** keys.json of a node in containers or pods lies in a volume, which no command of the host writes into. */
function requireProcess(home: string): void {
  requireHome(home);
  if (hasTarget(home))
    throw new NectarError('CLI_USAGE', {
      problem:
        'this node is in containers or pods: restore its backup as a process (restore --share), recover that, and restore a backup of it with --target docker or kubernetes',
    });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
