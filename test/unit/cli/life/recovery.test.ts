import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decrypt, generateKey, type Key, type PrivateKey, readKey, readMessage, readPrivateKey } from 'openpgp';
import { byPassphrase } from '../../../../appliance/keys/index.ts';
import { makeKit, type RecoveryKit } from '../../../../cli/life/recovery/kit.ts';
import { encodeShare, parseShare, readRootKey } from '../../../../cli/life/recovery/share.ts';
import { unlockKeys } from '../../../../cli/life/unlock-keys.ts';
import { openKeys } from '../../../../cli/provision/process/open-keys.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';
import { makeHome, NOW } from './stored-home.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-recovery-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
const NODE = 'ab'.repeat(16);
const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));
const noGpg = !['/usr/bin/gpg', '/bin/gpg'].some(existsSync) && 'gpg is not installed';

interface Officer {
  readonly armored: string;
  readonly secret: PrivateKey;
  readonly open: Key;
}
const officers: Officer[] = [];

before(async () => {
  for (const name of ['alice', 'bob', 'carol']) {
    const made = await generateKey({ type: 'ecc', userIDs: [{ name, email: `${name}@clinic.example` }] });
    officers.push({
      armored: made.privateKey,
      secret: await readPrivateKey({ armoredKey: made.privateKey }),
      open: await readKey({ armoredKey: made.publicKey }),
    });
  }
});

const kitOf = (root: Uint8Array, threshold: number): Promise<RecoveryKit> =>
  makeKit({
    ...{ nodeId: NODE, createdAt: new Date(NOW).toISOString(), root, threshold },
    officers: officers.map(({ open }) => open),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  });

/** What an officer gives back: a file with the decrypted share. */
async function shareOf(kit: RecoveryKit, index: number): Promise<string> {
  const message = await readMessage({ armoredMessage: kit.officers[index]?.message ?? '' });
  const officer = officers[index]?.secret ?? assert.fail();
  const { data } = await decrypt({ message, decryptionKeys: officer });
  const path = join(folder, `share-${index}-${randomBytes(3).toString('hex')}.txt`);
  writeFileSync(path, String(data));
  return path;
}

test('any one officer gives the root key back, and nothing in the kit shows it', async () => {
  const root = new Uint8Array(randomBytes(32));
  const kit = await kitOf(root, 1);
  assert.ok(!JSON.stringify(kit).includes(Buffer.from(root).toString('hex')));
  for (const index of [0, 1, 2]) {
    assert.deepEqual(await readRootKey([await shareOf(kit, index)]), { nodeId: NODE, root });
  }
});

test('two of three officers give it back, in any order; one alone, or one twice, does not', async () => {
  const root = new Uint8Array(randomBytes(32));
  const kit = await kitOf(root, 2);
  const [a = '', b = '', c = ''] = await Promise.all([0, 1, 2].map((index) => shareOf(kit, index)));
  for (const files of [
    [a, b],
    [c, a],
    [b, c],
    [a, b, c],
  ]) {
    assert.deepEqual((await readRootKey(files)).root, root);
  }
  await assert.rejects(readRootKey([a]), code('KEY_SHARES_MISSING'));
  await assert.rejects(readRootKey([]), code('KEY_SHARES_MISSING'));
  await assert.rejects(readRootKey([a, a]), code('KEY_SHARE_INVALID'));
  const other = await shareOf(await kitOf(root, 1), 0);
  await assert.rejects(readRootKey([a, other]), code('KEY_SHARE_INVALID'));
});

test('a share is text that shows its own mistakes', () => {
  const text = encodeShare({ nodeId: NODE, threshold: 2, bytes: new Uint8Array(33).fill(7) });
  assert.equal(parseShare(text.replaceAll('\n', '\r\n'), 'x').threshold, 2);
  for (const bad of [
    '',
    'hello',
    text.replace('0707', '0708'),
    text.replace('threshold 2', 'threshold 0'),
    `${text}more`,
    text.slice(0, -12),
  ])
    assert.throws(() => parseShare(bad, 'x'), code('KEY_SHARE_INVALID'), bad);
});

test('gpg alone decrypts what an officer gets', { skip: noGpg }, async () => {
  const root = new Uint8Array(randomBytes(32));
  const kit = await kitOf(root, 1);
  const home = join(folder, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  const gpg = (args: string[], input: string) =>
    execFileSync(
      'gpg',
      ['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
      {
        input,
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    ).toString();
  gpg(['--import'], officers[1]?.armored ?? '');
  assert.deepEqual(parseShare(gpg(['--decrypt'], kit.officers[1]?.message ?? ''), 'gpg').bytes, root);
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'], { stdio: 'ignore' });
});

test('an officer whose key encrypts nothing is refused by name', async () => {
  const made = await generateKey({ type: 'ecc', userIDs: [{ name: 'signer' }], subkeys: [] });
  const key = await readKey({ armoredKey: made.publicKey });
  const request = { nodeId: NODE, createdAt: '', root: new Uint8Array(32), threshold: 1 };
  const kit = makeKit({ ...request, officers: [key], randomBytes: (length) => new Uint8Array(length) });
  await assert.rejects(kit, code('KEY_OFFICER_INVALID'));
});

test('a node whose key file is lost opens by shares, and by what is then enrolled', async () => {
  const home = await makeHome(folder, 'lost');
  const keyFile = join(folder, 'lost.key');
  const { terminal } = fakeTerminal();
  const at = { home, now: () => NOW, signal };
  const before = await openKeys({ ...at, keyFile });
  const root = before.exportRoot();
  const index = before.derive('index');
  await before.stop();
  const kit = await kitOf(root, 2);
  const shares = await Promise.all([0, 2].map((officer) => shareOf(kit, officer)));
  rmSync(keyFile);
  const keys = await unlockKeys({ home, terminal, keyFile: '', shares });
  assert.deepEqual(keys.derive('index'), index);
  await keys.enroll(byPassphrase(Buffer.from('four new words for it')));
  await keys.stop();
  const again = await openKeys({ ...at, keyFile: '' });
  await again.unlock({ provider: 'passphrase', passphrase: Buffer.from('four new words for it') });
  assert.deepEqual(again.derive('index'), index);
  await again.stop();
  const foreign = await kitOf(new Uint8Array(randomBytes(32)), 1);
  const wrong = unlockKeys({ home, terminal, keyFile: '', shares: [await shareOf(foreign, 0)] });
  await assert.rejects(wrong, code('KEY_SHARES_WRONG'));
});
