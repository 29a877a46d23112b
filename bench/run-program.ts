import { spawn } from 'node:child_process';

/** Runs a program to its end, output thrown away unless asked for; an exit code other than 0 is an error with what it said. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${Buffer.concat(err)}`);
  return Buffer.concat(out).toString('utf8');
}
