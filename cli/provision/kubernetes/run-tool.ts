import { spawn } from 'node:child_process';
import { NectarError } from '../../../protocol/errors.ts';

export interface ToolOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly input?: string;
  readonly timeoutMs: number;
  /** More than that is no answer to what was asked. */
  readonly maxBytes: number;
}

export interface ToolResult {
  /** null: it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunTool = (argv: readonly [string, ...string[]], options: ToolOptions) => Promise<ToolResult>;

const MAX_COMPLAINT_BYTES = 64 * 1024;

/**
 * Runs kubectl or helm to its end. What it is given on stdin is in no argument and no variable.
 *
 * @throws NectarError CLUSTER_TOOL_MISSING, CLUSTER_ANSWER_INVALID
 */
export const runTool: RunTool = (argv, options) => {
  const { env, input, timeoutMs, maxBytes } = options;
  const [file, ...args] = argv;
  const doing = `${file} ${args.find((arg) => !arg.startsWith('-')) ?? ''}`.trim();
  const tooLong = new AbortController();
  const signal = AbortSignal.any([options.signal, tooLong.signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...env }, stdio: 'pipe', signal });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) return tooLong.abort();
      chunks.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_COMPLAINT_BYTES) stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') reject(new NectarError('CLUSTER_TOOL_MISSING', { tool: file }, { cause: error }));
      else if (options.signal.aborted) reject(options.signal.reason);
      else reject(new NectarError('CLUSTER_ANSWER_INVALID', { doing, problem: whatEnded(tooLong.signal, options) }));
    });
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(chunks).toString('utf8'), stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
};

function whatEnded(tooLong: AbortSignal, { maxBytes, timeoutMs }: ToolOptions): string {
  return tooLong.aborted ? `longer than ${maxBytes} bytes` : `none within ${timeoutMs / 1000} seconds`;
}
