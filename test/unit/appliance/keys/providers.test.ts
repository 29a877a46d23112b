import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  byKeyFile,
  createKeys,
  createRootKey,
  type Enrolment,
  type Keys,
  nodeEnvelopeCrypto,
  PROVIDERS,
  runTool,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';

const signal = new AbortController().signal;
const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';
const has = (program: string): boolean =>
  (process.env.PATH ?? '').split(':').some((at) => existsSync(join(at, program)));
/** In CI nothing skips: .ci/run installs them. */
const maySkip = process.env.CI !== 'true';
const noTpm = maySkip && !(has('swtpm') && has('tpm2_unseal')) && 'swtpm and tpm2-tools are not installed';
const noToken = maySkip && !(has('pkcs11-tool') && existsSync(SOFTHSM)) && 'opensc and softhsm2 are not installed';
/** Root, since the key that seals credentials to the machine is root's: /var/lib/systemd/credential.secret. */
const noSystemdCreds =
  maySkip &&
  !(has('systemd-creds') && process.getuid?.() === 0) &&
  'systemd-creds is not installed, or we are not root';
const deps = {
  crypto: nodeEnvelopeCrypto,
  log: createLogger({ level: 'silent' }),
  now: () => new Date(Date.UTC(2026, 0, 1)),
  randomBytes: (n: number) => new Uint8Array(randomBytes(n)),
};
const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));

let folder: string;
let home: string;
let credentials: string;
let tpm: ChildProcess | undefined;
let count = 0;
const tcti = (): string => `swtpm:path=${join(folder, 'tpm', 'socket')}`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-providers-'));
  credentials = join(folder, 'credentials');
  await mkdir(credentials);
  if (noTpm === false) await startTpm();
  if (noToken === false) await startToken();
});
after(async () => {
  tpm?.kill();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  count += 1;
  home = join(folder, `home-${count}`);
});

async function startTpm(): Promise<void> {
  const state = join(folder, 'tpm');
  await mkdir(state);
  const at = (name: string): string => `type=unixio,path=${join(state, name)}`;
  tpm = spawn(
    'swtpm',
    [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${state}`,
      '--ctrl',
      at('socket.ctrl'),
      '--server',
      at('socket'),
      '--flags',
      'not-need-init,startup-clear',
    ],
    { stdio: 'ignore' },
  );
  for (let waited = 0; waited < 100 && !existsSync(join(state, 'socket')); waited++) await sleep(50);
}

async function startToken(): Promise<void> {
  await mkdir(join(folder, 'tokens'));
  const config = join(folder, 'softhsm2.conf');
  await writeFile(config, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\n`);
  await writeFile(join(folder, 'pin'), '1234\n', { mode: 0o600 });
  process.env.SOFTHSM2_CONF = config;
  const quiet = { stdio: 'ignore', env: { ...process.env, PIN: '1234' } } as const;
  execFileSync(
    'softhsm2-util',
    ['--init-token', '--free', '--label', 'clinic', '--pin', '1234', '--so-pin', '5678'],
    quiet,
  );
  const login = ['--module', SOFTHSM, '--token-label', 'clinic', '--login', '--pin', 'env:PIN'];
  execFileSync(
    'pkcs11-tool',
    [...login, '--keypairgen', '--key-type', 'rsa:2048', '--id', '01', '--usage-decrypt'],
    quiet,
  );
}

async function program(text: string): Promise<string> {
  const path = join(folder, `program-${count}-${randomBytes(3).toString('hex')}`);
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return path;
}

async function start(change: { run?: undefined } = {}): Promise<Keys> {
  const keys = createKeys(
    { home, keyFile: '', unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    { ...deps, metrics: createMetrics(), run: runTool, credentials, ...change },
  );
  await keys.start(signal);
  return keys;
}

const make = (enrolment: Enrolment): Promise<void> =>
  createRootKey({ home, enroll: [enrolment] }, { ...deps, credentials });
const reasonOf = (keys: Keys): string => {
  const readiness = keys.readiness();
  return readiness.ready ? 'ready' : readiness.reason;
};

/** Enrolled alone, a provider opens the node by itself; then it gives something else, and says so. */
async function opensByItself(enrolment: Enrolment, spoil: () => Promise<void>, said: RegExp): Promise<void> {
  await make(enrolment);
  const keys = await start();
  assert.equal(keys.state(), 'unlocked', reasonOf(keys));
  await keys.stop();
  await spoil();
  const locked = await start();
  assert.equal(locked.state(), 'locked');
  assert.match(reasonOf(locked), said);
}

test('a command opens the node by what it prints, and by nothing else', async () => {
  const path = await program(`echo ${randomBytes(32).toString('base64')}`);
  const spoil = () => writeFile(path, `#!/bin/sh\necho ${randomBytes(32).toString('base64')}\n`);
  await opensByItself({ provider: 'command', settings: { argv: [path] } }, spoil, /does not open this node's root key/);
});

test('a command takes its arguments as they are, without a shell', async () => {
  const path = await program('printf "%s" "$1" | grep -q "\\$(id); x" && head -c 40 "$0"');
  await make({ provider: 'command', settings: { argv: [path, '$(id); x'] } });
  assert.equal((await start()).state(), 'unlocked');
});

test('a command that fails, prints too little, too much, nothing, or is not there, is said', async () => {
  const enrol = async (text: string) => make({ provider: 'command', settings: { argv: [await program(text)] } });
  await assert.rejects(enrol('echo the vault is sealed >&2; exit 3'), (error) => {
    assert.ok(isNectarError(error, 'KEY_TOOL_FAILED'), String(error));
    assert.deepEqual([error.data.reason, error.data.said], ['exit 3', 'the vault is sealed']);
    return true;
  });
  await assert.rejects(enrol('echo password1234'), code('KEY_SECRET_SHORT'));
  await assert.rejects(enrol('true'), code('KEY_SECRET_SHORT'));
  await assert.rejects(enrol('head -c 100000 /dev/zero; sleep 60'), code('KEY_TOOL_FAILED'));
  for (const argv of [['/nowhere/at-all'], ['head'], [join(folder, 'writable')]]) {
    await writeFile(join(folder, 'writable'), '#!/bin/sh\n', { mode: 0o755 });
    await chmod(join(folder, 'writable'), 0o777);
    await assert.rejects(make({ provider: 'command', settings: { argv } }), code('KEY_PROGRAM_UNSAFE'));
  }
});

test('a credential of systemd opens the node in its unit, and outside of it is said to be missing', async () => {
  await writeFile(join(credentials, 'nectar'), randomBytes(32));
  const enrolment = { provider: 'systemd', settings: { credential: 'nectar' } };
  await opensByItself(enrolment, () => rm(join(credentials, 'nectar')), /gives this process no credential "nectar"/);
  home = `${home}-refused`;
  for (const credential of ['../nectar', '', 'a/b']) {
    await assert.rejects(make({ provider: 'systemd', settings: { credential } }), code('KEY_ENROLMENT_INVALID'));
  }
});

test('a credential that systemd-creds sealed to this machine opens the node', { skip: noSystemdCreds }, async () => {
  const [clear, sealed] = [join(folder, 'clear'), join(folder, 'sealed.cred')];
  await writeFile(clear, randomBytes(32).toString('base64'));
  execFileSync('systemd-creds', ['encrypt', '--with-key=host', '--name=nectar', clear, sealed], { stdio: 'ignore' });
  await rm(clear);
  // What systemd does at the start of a unit with LoadCredentialEncrypted=nectar:FILE.
  const load = (name: string): void => {
    execFileSync('systemd-creds', ['decrypt', `--name=${name}`, sealed, join(credentials, name)], { stdio: 'ignore' });
  };
  load('nectar');
  await opensByItself(
    { provider: 'systemd', settings: { credential: 'nectar' } },
    () => rm(join(credentials, 'nectar')),
    /gives this process no credential "nectar"/,
  );
  load('nectar');
  assert.equal((await start()).state(), 'unlocked');
  assert.throws(() => load('another'), 'it is bound to its name');
  const bytes = Buffer.from(await readFile(sealed, 'utf8'), 'base64');
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  await writeFile(sealed, bytes.toString('base64'));
  assert.throws(() => load('nectar'), 'and altered it opens nothing');
});

test('a TPM opens the node until the machine boots otherwise', { skip: noTpm }, async () => {
  await opensByItself(
    { provider: 'tpm2', settings: { pcrs: 'sha256:0,7', tcti: tcti() } },
    async () => {
      const extend = ['7:sha256=0000000000000000000000000000000000000000000000000000000000000001'];
      execFileSync('tpm2_pcrextend', extend, { env: { ...process.env, TPM2TOOLS_TCTI: tcti() } });
    },
    /tpm2_unseal does not open the node by tpm2 \(exit 1\): .*policy/i,
  );
  assert.deepEqual(
    (await readdir(tmpdir())).filter((name) => name.startsWith('nectar-tpm-')),
    [],
  );
});

test('what a TPM sealed opens by no password, and by no other TPM', { skip: noTpm }, async () => {
  await make({ provider: 'tpm2', settings: { tcti: tcti() } });
  const keys = await start();
  assert.equal(keys.state(), 'unlocked', reasonOf(keys));
  execFileSync('tpm2_clear', { env: { ...process.env, TPM2TOOLS_TCTI: tcti() } });
  assert.match(reasonOf(await start()), /tpm2_load does not open the node/);
});

test('a PKCS#11 token opens the node with its PIN', { skip: noToken }, async () => {
  const settings = { module: SOFTHSM, token: 'clinic', key: '01', pinFile: join(folder, 'pin') };
  await opensByItself(
    { provider: 'pkcs11', settings },
    () => writeFile(settings.pinFile, '9999'),
    /pkcs11-tool does not open the node by pkcs11 \(exit 1\): .*CKR_PIN_INCORRECT/,
  );
  await writeFile(settings.pinFile, '1234');
  for (const [change, expected] of [
    [{ token: 'another' }, 'KEY_TOOL_FAILED'],
    [{ key: '02' }, 'KEY_TOOL_FAILED'],
    [{ pinFile: join(folder, 'none') }, 'KEY_FILE_MISSING'],
    [{ module: '/nowhere.so' }, 'KEY_PROGRAM_UNSAFE'],
  ] as const) {
    home = join(folder, `home-${count}-${expected}-${JSON.stringify(change).length}`);
    await assert.rejects(make({ provider: 'pkcs11', settings: { ...settings, ...change } }), code(expected));
  }
});

test('several providers open the same node; each can be changed, and the last that works stays', async () => {
  await writeFile(join(credentials, 'both'), randomBytes(32));
  const keyFile = join(folder, `both-${count}.key`);
  await make(byKeyFile(keyFile));
  const keys = await start();
  const index = Buffer.from(keys.derive('index'));
  assert.equal((await keys.enroll({ provider: 'systemd', settings: { credential: 'both' } })).id, 'systemd-2');
  await rm(keyFile);
  const again = await start();
  assert.deepEqual(Buffer.from(again.derive('index')), index);
  // The key file is gone: the credential is all that opens the node now, whatever the list says.
  await assert.rejects(again.remove('systemd-2'), code('KEY_PROVIDER_LAST'));
  assert.deepEqual(await again.remove('file-1'), { id: 'file-1', generation: 3 });
  assert.deepEqual(
    again.providers().map(({ id }) => id),
    ['systemd-2'],
  );
});

test('where no program may be started, a provider that needs one says so; the others work', async () => {
  await make({ provider: 'command', settings: { argv: [await program('echo 0123456789abcdef0123456789abcdef')] } });
  const keys = await start({ run: undefined });
  assert.match(reasonOf(keys), /needs to start a program, which this process may not/);
});

test('every provider says what it is, what it takes, and what it keeps, within bounds', () => {
  assert.deepEqual(
    PROVIDERS.map(({ name }) => name),
    ['passphrase', 'file', 'command', 'systemd', 'tpm2', 'pkcs11'],
  );
  for (const { name, title, settings } of PROVIDERS) {
    assert.match(title, /^(a|an|this) /, name);
    for (const [option, schema] of Object.entries(settings))
      assert.ok((schema as { description?: string }).description, `${name}.${option}`);
  }
});
