import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from '../process/running.ts';
import type { Engine } from './engine.ts';
import { removeNode } from './remove-node.ts';
import { findTarget } from './target-file.ts';

/** Where this process makes a home before it takes its place. */
export function stagingHome(home: string): string {
  return `${home}.staging-${process.pid}`;
}

/** Takes away what an `init` of this home left that was killed: its objects on the engine, then its folder. */
export async function undoAbandoned(home: string, engine: Engine): Promise<void> {
  const folder = dirname(home);
  if (!existsSync(folder)) return;
  const pattern = /\.staging-(\d+)(\.partial-\d+)?$/;
  for (const name of await readdir(folder)) {
    const match = pattern.exec(name);
    if (match === null || name.slice(0, match.index) !== basename(home) || isAlive(Number(match[1]))) continue;
    await undoNode(join(folder, name), engine, {});
  }
}

/** Removes a node that never became one. Runs to its end even when Ctrl-C is why. */
export async function undoNode(
  home: string,
  engine: Engine,
  { keyFile }: { readonly keyFile?: string | undefined },
): Promise<void> {
  const target = findTarget(home);
  if (target !== undefined) {
    await removeNode(engine.withSignal(new AbortController().signal), {
      nodeId: target.nodeId,
      version: target.programVersion,
      storeImage: target.images.store,
      say: () => undefined,
    });
  }
  await rm(home, { recursive: true, force: true });
  if (keyFile !== undefined) await rm(keyFile, { force: true });
}
