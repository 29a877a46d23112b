import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { runProgram } from './run-program.ts';

/** A fresh repository of Debian's restic, with its defaults: it encrypts and authenticates as we do, and writes no audit log. */
export class Restic {
  readonly #env: Record<string, string>;
  readonly #folder: string;

  private constructor(folder: string, env: Record<string, string>) {
    this.#folder = folder;
    this.#env = env;
  }

  static async create(folder: string): Promise<Restic> {
    const password = randomBytes(16).toString('hex');
    const env = { PATH: process.env.PATH ?? '', HOME: folder, RESTIC_REPOSITORY: folder, RESTIC_PASSWORD: password };
    const restic = new Restic(folder, { ...env, RESTIC_CACHE_DIR: `${folder}-cache` });
    await restic.#run('init');
    return restic;
  }

  backup(path: string): Promise<string> {
    return this.#run('backup', path);
  }

  restore(target: string): Promise<string> {
    return this.#run('restore', 'latest', '--target', target);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await rm(`${this.#folder}-cache`, { recursive: true, force: true });
  }

  #run(...args: string[]): Promise<string> {
    return runProgram('restic', ['--quiet', ...args], { env: this.#env });
  }
}
