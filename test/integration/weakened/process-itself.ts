import { readFileSync, statSync } from 'node:fs';
import { freePort, walk } from '../../e2e/workplace.ts';
import type { ProcessStack } from './process-stack.ts';
import type { Weakening } from './weakening.ts';

type Row = Weakening<ProcessStack>;

/** Whoever asks for the log. Not too often: a node writes down so many refusals a minute, and only counts the rest. */
const LOG = ['node', 'audit-log'];

/** Of a folder of tiles, the one that grows. */
function newest(stack: ProcessStack, folder: string): string {
  const files = walk(stack.path(folder)).map((path) => ({ path, at: statSync(path).mtimeMs }));
  return files.sort((a, b) => a.at - b.at).at(-1)?.path ?? '';
}

function flip(stack: ProcessStack, path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  stack.write(path, bytes);
}

/** The log, changed on disk by whoever may. */
export const WEAKENED_LOG: readonly Row[] = [
  {
    name: 'a byte of an entry of the log was flipped',
    weaken: (stack) => flip(stack, newest(stack, 'audit/tile/entries'), 60),
    collectors: LOG,
    fails: ['AUD-001'],
  },
  {
    name: 'a hash of the log was flipped',
    weaken: (stack) => flip(stack, newest(stack, 'audit/tile/0'), 8),
    collectors: LOG,
    fails: ['AUD-001'],
  },
  {
    name: 'the checkpoint of the log was changed',
    weaken: (stack) => {
      const [origin, size, ...rest] = stack.read('audit/checkpoint').split('\n');
      stack.write(stack.path('audit', 'checkpoint'), [origin, Number(size) + 1, ...rest].join('\n'));
    },
    collectors: LOG,
    fails: ['AUD-001'],
  },
  {
    name: 'the log was replaced by an older copy of itself',
    collectors: LOG,
    weaken: (stack) => stack.rollBackLog(),
    // In itself it is intact; that its end is missing, the chain shows. The node then serves no entry of it.
    fails: ['AUD-002', 'AUD-003'],
    otherwise: { 'AUD-006': 'error', 'AUD-008': 'error', 'AUD-011': 'error' },
  },
];

/** The process, as its kernel has it, and as it was started. */
export const WEAKENED_PROCESS: readonly Row[] = [
  {
    name: 'a crash would write memory to disk',
    weaken: (stack) => stack.limit('core', 'unlimited'),
    fails: ['PRC-042'],
  },
  { name: 'it may open few files', weaken: (stack) => stack.limit('nofile', '512'), fails: ['PRC-040'] },
  {
    name: 'the signal that wakes a debugger was sent (and wakes none)',
    weaken: (stack) => process.kill(stack.pid, 'SIGUSR1'),
    fails: [],
  },
  {
    name: 'somebody traces it',
    weaken: (stack) => stack.trace(),
    fails: ['PRC-044'],
  },
  {
    name: 'it was started with a password and a foreign library in its environment, and to believe every certificate',
    weaken: (stack) =>
      stack.restart({
        ...{ DB_PASSWORD: 'hunter2-b2a94dd1c7', NODE_TLS_REJECT_UNAUTHORIZED: '0' },
        // The loader finds no such file, and goes on.
        LD_PRELOAD: '/tmp/nectar-no-such-library.so',
      }),
    fails: ['PRC-046', 'PRC-050', 'PRC-053'],
  },
  {
    name: 'it was started with a debugger',
    weaken: (stack) => stack.restart({ NODE_OPTIONS: '--inspect=127.0.0.1:0' }),
    fails: ['PRC-045', 'PRC-050'],
  },
  {
    name: 'it shows its metrics',
    weaken: async (stack) => {
      stack.configure('gateway.metricsPort', await freePort());
      await stack.restart();
    },
    fails: ['CFG-005'],
    otherwise: { 'NET-013': 'pass' },
  },
  {
    name: 'it listens on all addresses',
    weaken: async (stack) => {
      stack.configure('gateway.host', '0.0.0.0');
      await stack.restart();
    },
    fails: ['CFG-004', 'NET-012'],
  },
];
