import { chownSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessStack } from './process-stack.ts';
import { unseen, type Weakening } from './weakening.ts';

const PATIENT = JSON.stringify({ resourceType: 'Patient', id: 'weakened', name: [{ family: 'Exposed' }] });
const PEM = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n';
const STRANGER = 12_345;

type Row = Weakening<ProcessStack>;

function row(name: string, weaken: Row['weaken'], fails: readonly string[], more: Partial<Row> = {}): Row {
  return { name, weaken, fails, ...more };
}

/** Files of the home and what lies in them. */
export const WEAKENED_FILES: readonly Row[] = [
  row('everybody may read the key file', (stack) => stack.mode(keyFile(stack), 0o644), ['FIL-001', 'FIL-002']),
  row('the home is open', (stack) => stack.mode(stack.home, 0o755), ['FIL-001']),
  row('everybody may read the list of tokens', (stack) => stack.mode(stack.path('tokens.json'), 0o604), ['FIL-001']),
  row('everybody may change the descriptor', (stack) => stack.mode(stack.path('network.json'), 0o666), ['FIL-003']),
  row('everybody may rename the home', (stack) => stack.mode(dirname(stack.home), 0o777), ['FIL-008']),
  row(
    'the key store belongs to another user',
    (stack) => {
      const path = stack.path('keys.json');
      chownSync(path, STRANGER, STRANGER);
      stack.onRestore(() => chownSync(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0));
    },
    ['FIL-004'],
  ),
  row(
    'the token of the command line is a link to elsewhere',
    (stack) => {
      const path = stack.path('client', 'token');
      stack.move(path, stack.place.path('token'));
      symlinkSync(stack.place.path('token'), path);
    },
    ['FIL-005'],
  ),
  row(
    'the key file lies in the home',
    (stack) => {
      stack.write(stack.path('root.key'), readFileSync(keyFile(stack)));
      stack.configure('keys.keyFile', stack.path('root.key'));
    },
    ['FIL-006'],
  ),
  row(
    'an identity lies bare',
    (stack) => {
      stack.stopTheClock();
      stack.write(stack.path('identity/p2p.sealed'), PEM);
    },
    ['FIL-009', 'KEY-001'],
    { collectors: ['configuration', 'keys', 'files'] },
  ),
  row('a patient lies in the store', (stack) => stack.write(stack.path('store', 'export.json'), PATIENT), ['DAT-043']),
  row(
    'an image lies in the log folder',
    (stack) =>
      stack.write(stack.path('logs', 'scan.dcm'), Buffer.concat([Buffer.alloc(128), Buffer.from('DICM\x02\0')])),
    ['DAT-043'],
  ),
];

const option = (path: string, value: unknown, fails: readonly string[], more: Partial<Row> = {}): Row =>
  row(`${path} is ${JSON.stringify(value)}`, (stack) => stack.configure(path, value), fails, more);

/** Options of config.json. */
export const WEAKENED_CONFIGURATION: readonly Row[] = [
  option('gateway.maxConections', 10, ['CFG-001', 'CFG-002'], {
    collectors: ['node', 'configuration'],
    otherwise: unseen(
      'AUD-013 AUD-014 CFG-004 CFG-005 CFG-006 CFG-007 CFG-008 CFG-009 CFG-010 CFG-011 CFG-012 CFG-014 CFG-015 CFG-017 CFG-018 DAT-036 DAT-042',
    ),
  }),
  option('gateway.host', '0.0.0.0', ['CFG-004', 'NET-011']),
  option('gateway.headersTimeoutMs', 3_600_000, ['CFG-006']),
  option('gateway.bodyTimeoutMs', 3_600_000, ['CFG-007']),
  option('gateway.keepAliveTimeoutMs', 86_400_000, ['CFG-008']),
  option('gateway.maxConnections', 1_000_000, ['CFG-009']),
  option('gateway.maxJsonBytes', 1_073_741_824, ['CFG-010']),
  option('gateway.maxDenialsPerMinute', 1, ['AUD-014']),
  option('keys.unlockDelayMs', 0, ['CFG-011']),
  option('keys.unlockDelayMaxMs', 1_000, ['CFG-012']),
  option('p2p.maxConnections', 1_024, ['CFG-014']),
  option('rollup.l1RpcUrls', ['http://l1.example.org:8545'], ['CFG-015']),
  option('rollup.l1RpcUrls', ['https://clinic:hunter2-b2a94dd1c7@l1.example.org'], ['CFG-003']),
  option('rollup.proxyUrl', 'http://clinic:hunter2-b2a94dd1c7@proxy.example.org:3128', ['CFG-003', 'CFG-017']),
  option('log.level', 'debug', ['CFG-018']),
  option('store.replicas', 0, ['DAT-036']),
  option('store.minFreeBytes', 0, ['DAT-042']),
  option('audit.checkpointEveryLeaves', 1_000_000, ['AUD-013']),
];

/** Who may ask, and what age does. */
export const WEAKENED_ACCESS: readonly Row[] = [
  row(
    'five tokens may do everything',
    async (stack) => {
      for (const name of ['anna.b', 'ben.c', 'cleo.d', 'dan.e']) await stack.issue(name, '--scope', 'admin');
    },
    ['KEY-010'],
  ),
  row('a token names nobody', (stack) => stack.issue('test', '--scope', 'node:read'), ['KEY-013']),
  row('one person holds two tokens that may do everything', (stack) => stack.issue('cli', '--scope', 'admin'), [
    'KEY-014',
  ]),
  row(
    'a token was made good for ten years',
    (stack) => {
      const path = stack.path('tokens.json');
      const list = JSON.parse(readFileSync(path, 'utf8')) as { tokens: { expiresAt: string }[] };
      for (const token of list.tokens) token.expiresAt = '2099-01-01T00:00:00.000Z';
      stack.stopTheClock();
      stack.write(path, JSON.stringify(list));
    },
    ['KEY-011'],
    { collectors: ['node', 'tokens'] },
  ),
  row('the key was never rotated', (stack) => stack.later(400), ['KEY-005'], { collectors: ['node', 'keys'] }),
  row('nobody renewed the certificate', (stack) => stack.later(392), ['TLS-007'], {
    collectors: ['node', 'listeners'],
  }),
];

function keyFile(stack: ProcessStack): string {
  const { keys } = JSON.parse(stack.read('config.json')) as { keys: { keyFile: string } };
  return keys.keyFile;
}
