import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly input?: string;
  /** 30 s unless told. */
  readonly timeoutMs?: number;
}

/** Runs a small program of the system to its end. Rejects with ENOENT where there is none of that name. */
export function runProgram(argv: readonly [string, ...string[]], options: ProgramOptions): Promise<ProgramResult> {
  const { env, input, signal, timeoutMs = TIMEOUT_MS } = options;
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const child = spawn(file, args, { env: { ...env }, stdio: 'pipe', signal: bounded });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        if (texts[name].length < MAX_OUTPUT_BYTES) texts[name] += chunk.toString('utf8');
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}
