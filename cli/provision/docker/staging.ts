import { rm } from 'node:fs/promises';
import { sweepAbandoned } from '../staging-folder.ts';
import type { Engine } from './engine.ts';
import { removeNode } from './remove-node.ts';
import { findTarget } from './target-file.ts';

/** Takes away what an `init` of this home left that was killed: its objects on the engine, then its folder. */
export function undoAbandoned(home: string, engine: Engine): Promise<void> {
  return sweepAbandoned(home, 'staging', (path) => undoNode(path, engine, {}));
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
