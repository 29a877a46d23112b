import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../../cli/program.ts';
import { capture, fakeTerminal } from './capture.ts';

/** A group has no options of its own; a verb may have others below it. */
function verbs(command: Command, path: string[] = []): { path: string[]; command: Command }[] {
  const children = command.commands.flatMap((child) => verbs(child, [...path, child.name()]));
  const isVerb = path.length > 0 && command.options.some(({ long }) => long === '--json');
  return isVerb ? [{ path, command }, ...children] : children;
}

const all = verbs(createProgram(fakeTerminal().terminal));

test('has every verb of the issue', () => {
  const names = all.map(({ path }) => path.join(' '));
  const wanted = [
    [
      'init',
      'up',
      'down',
      'status',
      'log-level',
      'logs',
      'unlock',
      'put',
      'get',
      'export',
      'ls',
      'rm',
      'scrub',
      'fsck',
      'doctor',
      'destroy',
      'completion',
      'run',
      'healthcheck',
    ],
    ['custody grant', 'custody list', 'custody remove'],
    ['crossings issue', 'crossings rotate'],
    ['monitoring dashboard', 'monitoring rules', 'monitoring scrape'],
    ['backup list', 'backup prune', 'backup schedule', 'backup verify', 'recover', 'adopt'],
    ['backup', 'restore', 'upgrade', 'rollback', 'bundle save', 'bundle load', 'support-bundle', 'devnet relay'],
    ['keys list', 'keys rotate', 'keys retire', 'keys rekey', 'keys change', 'keys remove', 'keys resolve'],
    ['keys backup', 'keys recover'],
    ['passphrase', 'file', 'command', 'systemd', 'tpm2', 'pkcs11'].map((provider) => `keys enroll ${provider}`),
    ['token create', 'token list', 'token revoke'],
    ['tls show', 'tls renew', 'tls replace'],
    ['storage offer', 'storage plan', 'storage health', 'storage repair', 'storage move', 'storage drill'],
    ['dispute list', 'dispute show', 'dispute simulate', 'validator status', 'validator stake', 'validator unstake'],
    ['service install', 'service remove', 'service show'],
    ['chain batches', 'chain rebuild', 'chain rewind', 'chain snapshot'],
    ['chain withdraw', 'chain withdrawals', 'chain claim'],
    ['clients add', 'clients list', 'clients revoke', 'clients authorities', 'clients revocations'],
    [
      'audit tail',
      'audit query',
      'audit export',
      'audit verify',
      'audit verify-bundle',
      'audit prove',
      'audit resolve',
      'network status',
      'network peers',
      'network join',
      'network leave',
      'network appeal',
      ...['queue', 'attest', 'warn', 'suspend', 'eject', 'appeal'].map((verb) => `auditor ${verb}`),
    ],
    [
      'harden',
      'harden diff',
      'harden explain',
      'harden verify',
      'harden waive',
      'harden schedule',
      'harden keygen',
      'harden key',
    ],
    ['devnet up', 'devnet down', 'devnet destroy', 'devnet status', 'devnet eject', 'devnet fund', 'config print'],
    ['config set', 'config unset'],
  ].flat();
  assert.deepEqual(names.toSorted(), wanted.toSorted());
});

test('every verb has --json, --home, and a help with examples that name it', async () => {
  for (const { path, command } of all) {
    const long = command.options.map((option) => option.long);
    assert.ok(long.includes('--json') && long.includes('--home'), path.join(' '));
    const help = await capture([...path, '--help']);
    assert.equal(help.code, 0, path.join(' '));
    assert.match(help.stdout, new RegExp(`Examples:\\n(.*\\n)*.*nectar-byon ${path.join(' ')}`), path.join(' '));
  }
});

test('prints the version, and the help without arguments', async () => {
  assert.match((await capture(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  const bare = await capture([]);
  assert.equal(bare.code, 0);
  assert.match(bare.stdout, /nectar-byon init/);
});

test('leaves --version of get to get', async () => {
  const run = await capture(['get', '0'.repeat(32), '--version', '2', '--home', '/nowhere/home', '--json']);
  assert.equal(JSON.parse(run.stderr).error.code, 'CLI_HOME_MISSING');
});

test('usage errors exit with 2, the remedy on stderr, nothing on stdout', async () => {
  for (const args of [
    ['bogus'],
    ['put'],
    ['ls', '--nope'],
    ['get', 'x', '--range', '9-1'],
    ['token', 'create', 'x'],
    ['up', '--timeout', 'soon'],
  ]) {
    const run = await capture([...args, '--home', '/nowhere/home']);
    assert.equal(run.code, 2, args.join(' '));
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /^nectar-byon: .*\n {2}.*\n {2}CLI_(USAGE|HOME_MISSING)\n$/, args.join(' '));
  }
});

test('with --json an error is one JSON object on stderr', async () => {
  const run = await capture(['status', '--home', '/nowhere/home', '--json']);
  assert.equal(run.code, 2);
  assert.deepEqual(Object.keys(JSON.parse(run.stderr).error), ['code', 'message', 'data', 'remedy']);
  assert.deepEqual(JSON.parse(run.stderr).error.data, { home: '/nowhere/home' });
  assert.equal(run.stdout, '');
});

test('a group without a verb shows its help and exits with 2', async () => {
  const run = await capture(['keys']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /rotate/);
});

test('refuses a devnet for a node in Kubernetes, whose pods would not reach it', async () => {
  const run = await capture(['init', '--target', 'kubernetes', '--yes', '--home', '/nowhere/home', '--json']);
  assert.equal(run.code, 2);
  assert.equal(JSON.parse(run.stderr).error.code, 'CLI_USAGE');
});

test('prints the rights that a node in Kubernetes needs, and looks at no cluster', async () => {
  const run = await capture([
    'init',
    '--target',
    'kubernetes',
    '--rbac',
    '--namespace',
    'clinic',
    '--home',
    '/nowhere',
  ]);
  assert.equal(run.code, 0);
  assert.match(run.stdout, /kind: RoleBinding\nmetadata:\n {2}name: nectar-operator\n {2}namespace: clinic/);
});

test('an interrupted command exits with 130 and shows no error', async () => {
  const abort = new AbortController();
  abort.abort('SIGINT');
  const run = await capture(['status', '--home', '/nowhere/home'], { signal: abort.signal });
  assert.equal(run.code, 130);
  assert.equal(run.stderr, '');
});
