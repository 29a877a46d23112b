import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('lock-holder.ts', import.meta.url));

export interface Holding {
  readonly child: ChildProcess;
  readonly answer: string;
  /** Lets the lock go and ends. */
  release(): Promise<void>;
  kill(): Promise<void>;
}

/** Another process that has tried to take the lock of a folder. */
export async function holdElsewhere(path: string, purpose: string): Promise<Holding> {
  const child = spawn(process.execPath, [PROGRAM, path, purpose], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [answer] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    child,
    answer: answer.toString().trim(),
    async release() {
      child.stdin.end();
      await ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
