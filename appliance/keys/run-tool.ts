import { spawn } from 'node:child_process';

/** A program of the machine, without a shell, with nothing of our environment but what it needs to be found. */
export interface ToolCall {
  readonly argv: readonly string[];
  /** Written to its standard input, which is then closed. A secret goes this way, never into argv or the environment. */
  readonly input?: Uint8Array;
  /**
   * Further environment: where a device is. A PIN only where the program reads it from nowhere else: whoever may read the
   * environment of our child, may read the file that we have the PIN from.
   */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly maxOutputBytes: number;
  readonly timeoutMs: number;
}

export type ToolResult =
  | { readonly ended: 'well'; readonly output: Uint8Array }
  | {
      readonly ended: 'badly';
      /** `exit 1`, `timed out`, `too much output`, `ENOENT`. */
      readonly reason: string;
      /** The end of what it said on stderr, for the person; bounded. */
      readonly said: string;
    };

export type RunTool = (call: ToolCall) => Promise<ToolResult>;

const MAX_SAID_BYTES = 4096;
const MAX_SAID_LINES = 3;
const MAX_SAID_CHARACTERS = 300;
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'XDG_RUNTIME_DIR', 'SOFTHSM2_CONF', 'TPM2TOOLS_TCTI'] as const;

/** Runs it to its end, or kills it. Never throws: a program that is missing has ended badly. */
export const runTool: RunTool = (call) =>
  new Promise((resolve) => {
    const [program = '', ...args] = call.argv;
    const child = spawn(program, args, {
      cwd: call.cwd ?? '/',
      env: { ...inherited(), ...call.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      // A group of its own, without a terminal: it asks nobody, and ends with all that it started.
      detached: true,
    });
    const output: Buffer[] = [];
    let bytes = 0;
    let said = '';
    let killed: string | undefined;
    const kill = (why: string): void => {
      killed ??= why;
      endGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => kill('timed out'), call.timeoutMs);
    const finish = (reason: string | undefined): void => {
      clearTimeout(timer);
      const whole = Buffer.concat(output);
      for (const part of output) part.fill(0);
      if (reason !== undefined) whole.fill(0);
      resolve(
        reason === undefined ? { ended: 'well', output: whole } : { ended: 'badly', reason, said: lastLines(said) },
      );
    };
    child.stdout.on('data', (part: Buffer) => {
      output.push(part);
      bytes += part.length;
      if (bytes > call.maxOutputBytes) kill('too much output');
    });
    child.stderr.on('data', (part: Buffer) => {
      said = (said + part.toString('utf8')).slice(-MAX_SAID_BYTES);
    });
    // It may end without reading what it was given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(call.input ?? new Uint8Array(0));
    child.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'not started'));
    child.once('close', (code, signal) => {
      if (killed !== undefined) return finish(killed);
      finish(code === 0 ? undefined : signal === null ? `exit ${code}` : `ended by ${signal}`);
    });
  });

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function inherited(): Record<string, string> {
  const kept = INHERITED.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    kept.filter((entry): entry is [(typeof INHERITED)[number], string] => entry[1] !== undefined),
  );
}

/** Programs say the cause, and then that they give up: the last three lines. */
function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const told = lines.slice(-MAX_SAID_LINES).map((line) => line.trim().replace(/[^\x20-\x7e]/g, '?'));
  return told.join(' | ').slice(0, MAX_SAID_CHARACTERS);
}
