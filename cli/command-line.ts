import { homedir } from 'node:os';
import { type Command, CommanderError } from 'commander';
import { EXIT } from '../appliance/exit-code.ts';
import { isNectarError } from '../protocol/errors.ts';
import { createBareProgram } from './bare-program.ts';
import { describeProblem, renderProblem } from './render/problem.ts';
import type { Terminal } from './terminal.ts';
import { withUsualSize } from './terminal-size.ts';

/** A second Ctrl-C ends at once; the launcher and the terminal may both pass on the first one, so a near one is the same. */
const SAME_SIGNAL_MS = 500;
const SIGNAL_EXITS = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs one command line and returns the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = await programFor(args[0], terminal);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // --help and --version come as errors with exit code 0, a group without a verb as its help.
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    const says = !terminal.signal.aborted || (isNectarError(error, 'CLI_INTERRUPTED') && error.data.left !== undefined);
    // Who ended the command knows that it ended: only what stays behind is news.
    if (!says) return signalExit(terminal.signal.reason);
    const text = renderProblem(error, { json: args.includes('--json'), debug: Boolean(terminal.env.NECTAR_DEBUG) });
    terminal.stderr.write(`${text}\n`);
    return terminal.signal.aborted ? signalExit(terminal.signal.reason) : describeProblem(error).exit;
  }
}

/** Commands that scripts call again and again: loading the others would be half of their run. */
const DIRECT: Readonly<Record<string, () => Promise<(program: Command, terminal: Terminal) => void>>> = {
  put: async () => (await import('./commands/put.ts')).registerPut,
  get: async () => (await import('./commands/get.ts')).registerGet,
  ls: async () => (await import('./commands/ls.ts')).registerLs,
  rm: async () => (await import('./commands/rm.ts')).registerRm,
  status: async () => (await import('./commands/status.ts')).registerStatus,
};

/** The whole tree, or the one command that is called; none to say the version. */
async function programFor(verb: string | undefined, terminal: Terminal): Promise<Command> {
  if (verb === '--version' || verb === '-V') return createBareProgram(terminal);
  const direct = verb === undefined || !Object.hasOwn(DIRECT, verb) ? undefined : DIRECT[verb];
  if (direct === undefined) return (await import('./program.ts')).createProgram(terminal);
  const program = createBareProgram(terminal);
  (await direct())(program, terminal);
  return program;
}

function signalExit(reason: unknown): number {
  return SIGNAL_EXITS[reason as keyof typeof SIGNAL_EXITS] ?? EXIT.interrupted;
}

export function processTerminal(): Terminal {
  const abort = new AbortController();
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!abort.signal.aborted) {
        first = Date.now();
        abort.abort(signal);
      } else if (Date.now() - first > SAME_SIGNAL_MS) {
        process.exit(signalExit(signal));
      }
    });
  }
  outliveTerminal(() => abort.abort('SIGHUP'));
  for (const stream of [process.stdout, process.stderr]) withUsualSize(stream);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    platform: process.platform,
    userFolder: homedir(),
    workingFolder: process.cwd(),
    signal: abort.signal,
    interrupt() {
      // A key comes once: no launcher passes it on as well.
      if (abort.signal.aborted) process.exit(signalExit('SIGINT'));
      abort.abort('SIGINT');
    },
    now: () => Date.now(),
  };
}

/** A terminal that is closed fails every read and write (EIO): the work still has to undo what it began, so none of them may end us. */
function outliveTerminal(closed: () => void): void {
  process.stdin.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EIO') return closed();
    // `nectar-byon ls | head` closes our stdout: that is its right, not an error.
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.bug);
  });
}
