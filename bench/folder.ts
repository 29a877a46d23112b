/**
 * Many small files by `put FOLDER` of our own command line into a running node with defaults, against `restic backup` of the same
 * folder into a fresh repository, in turns. `npm run bench -- folder`. BENCH_FOLDER_FILES (2000), BENCH_FOLDER_ROUNDS (3).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Workplace } from '../test/e2e/workplace.ts';
import { printTurns, seconds } from './figures.ts';
import { Restic } from './restic.ts';
import { runProgram } from './run-program.ts';
import { type ServedNode, startNode } from './served-node.ts';

const FILES = Number(process.env.BENCH_FOLDER_FILES ?? 2000);
const ROUNDS = Number(process.env.BENCH_FOLDER_ROUNDS ?? 3);
const BYTES = 512;
const PROGRAM = fileURLToPath(new URL('../nectar-byon', import.meta.url));

async function writeFiles(folder: string): Promise<void> {
  await mkdir(folder);
  for (let i = 0; i < FILES; i++)
    await writeFile(join(folder, `${String(i).padStart(5, '0')}.bin`), randomBytes(BYTES));
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const [home, folder] = [place.path('home'), place.path('incoming')];
  let node: ServedNode | undefined;
  try {
    await writeFiles(folder);
    node = await startNode(place, home, ['all']);
    const ours: number[] = [];
    const peer: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const put = ['put', folder, '--again', '--home', home, '--json'];
      const options = { env: place.env, cwd: place.folder };
      let lines = '';
      ours.push(FILES / (await seconds(async () => (lines = await runProgram(PROGRAM, put, options)))));
      if (lines.trim().split('\n').length !== FILES) throw new Error('not every file was stored');
      const restic = await Restic.create(place.path('restic'));
      peer.push(FILES / (await seconds(() => restic.backup(folder))));
      await restic.remove();
    }
    printTurns({ name: 'folder-put', peerName: 'restic backup of the same folder', unit: 'files/s' }, { ours, peer });
  } finally {
    await node?.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
