import { join } from 'node:path';
import type { Terminal } from '../../terminal.ts';
import { writeWhole } from '../write-whole.ts';
import { composeFile } from './compose.ts';
import { convergeGround, requireImages } from './converge.ts';
import { desiredState } from './desired-state.ts';
import { fillConfigVolume } from './fill-volumes.ts';
import { giveKeyFile } from './key-file.ts';
import { readDockerNode, requireTarget } from './node-spec.ts';
import { openEngine, writeSeccompFiles } from './open-engine.ts';
import { writeTarget } from './target-file.ts';

/** Writes HOME/compose.yaml for the containers of a node, and sees to everything that they need; makes no container. */
export async function emitCompose(home: string, terminal: Terminal): Promise<string> {
  const node = readDockerNode(home);
  const engine = openEngine(terminal, node.target.engine);
  const state = desiredState(node.spec);
  await requireImages(engine, state.containers);
  await convergeGround(engine, state, 'passing');
  await fillConfigVolume(engine, node.spec, node.shared);
  if (node.spec.keyFile !== undefined) await giveKeyFile(engine, node.spec, node.spec.keyFile);
  await writeWhole(home, 'compose.yaml', composeFile(state, writeSeccompFiles(home, state.containers)));
  await writeTarget(home, { ...requireTarget(home), state: 'ready' });
  return join(home, 'compose.yaml');
}
