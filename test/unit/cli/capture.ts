import { PassThrough, Readable } from 'node:stream';
import { runCommandLine } from '../../../cli/command-line.ts';
import type { Terminal } from '../../../cli/terminal.ts';

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CaptureOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Uint8Array;
  readonly workingFolder?: string;
  readonly signal?: AbortSignal;
}

/** A terminal without a person at it, with what is written kept. */
export function fakeTerminal(options: CaptureOptions = {}): {
  terminal: Terminal;
  stdout: () => string;
  stderr: () => string;
} {
  const out = new PassThrough();
  const err = new PassThrough();
  const kept = { out: '', err: '' };
  out.on('data', (chunk: Buffer) => {
    kept.out += chunk.toString();
  });
  err.on('data', (chunk: Buffer) => {
    kept.err += chunk.toString();
  });
  const terminal: Terminal = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: out,
    stderr: err,
    env: options.env ?? {},
    platform: 'linux',
    userFolder: '/nowhere/user',
    workingFolder: options.workingFolder ?? '/nowhere',
    signal: options.signal ?? new AbortController().signal,
    interrupt: () => undefined,
    now: () => Date.UTC(2026, 10, 23),
  };
  return { terminal, stdout: () => kept.out, stderr: () => kept.err };
}

/** Runs a whole command line in this process. */
export async function capture(args: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const { terminal, stdout, stderr } = fakeTerminal(options);
  const code = await runCommandLine(args, terminal);
  return { code, stdout: stdout(), stderr: stderr() };
}
