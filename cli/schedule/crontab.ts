import { NectarError } from '../../protocol/errors.ts';
import { cronTime } from './interval.ts';
import { type ProgramOptions, runProgram } from './run-program.ts';
import { commandOf, type ScheduledRun, type Scheduler } from './scheduled-run.ts';

/** The line of a run: by its end it is known again. */
export function cronLine(run: ScheduledRun): string {
  const log = quoteShellWord(run.log);
  // An unescaped % is a line end to cron, even between quotes.
  const variables = Object.entries(run.environment).map(([name, value]) => `${name}=${quoteShellWord(value)} `);
  const words = commandOf(run).map(quoteShellWord).join(' ');
  const command = `${variables.join('')}${words} >${log} 2>&1`.replaceAll('%', '\\%');
  return `${cronTime(run.everySeconds)} ${command} # ${run.name}`;
}

/** The user's own crontab, through the program that keeps it. */
export function createCrontab(options: Omit<ProgramOptions, 'input'>): Scheduler {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('HARDENING_SCHEDULE_REFUSED', { by: 'crontab', reason }, { cause });
  };
  const call = (argv: readonly [string, ...string[]], input?: string) =>
    runProgram(argv, { ...options, ...(input !== undefined && { input }) }).catch((error: unknown) =>
      refuse((error as NodeJS.ErrnoException).code ?? String(error), error),
    );

  async function others(name: string): Promise<string[]> {
    const { code, stdout, stderr } = await call(['crontab', '-l']);
    // Whoever has none yet is told so with an exit code of 1.
    if (code !== 0 && !/no crontab/i.test(stderr)) refuse(stderr.trim() || `exit ${code}`);
    return stdout.split('\n').filter((line) => line !== '' && !line.endsWith(`# ${name}`));
  }

  async function write(lines: readonly string[]): Promise<void> {
    const { code, stderr } = await call(['crontab', '-'], lines.map((line) => `${line}\n`).join(''));
    if (code !== 0) refuse(stderr.trim() || `exit ${code}`);
  }

  return {
    name: 'crontab',
    async install(run) {
      await write([...(await others(run.name)), cronLine(run)]);
      return [];
    },
    async remove({ name }) {
      await write(await others(name));
    },
  };
}

/** One word of a POSIX shell. */
export function quoteShellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
