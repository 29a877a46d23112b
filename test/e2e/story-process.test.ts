import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tellStory } from './story.ts';
import { filesHolding, Workplace, walk } from './workplace.ts';

const blocks = (home: string): string => join(home, 'store', 'blocks');

/** The embedded target: one process, everything below the home. */
tellStory(new Workplace(), {
  initArguments: [],
  async kill(home) {
    const { pid } = JSON.parse(readFileSync(join(home, 'run', 'node.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
  },
  async loseBlocks(home) {
    rmSync(blocks(home), { recursive: true });
    mkdirSync(blocks(home), { mode: 0o700 });
  },
  countBlocks: async (home) => walk(blocks(home)).length,
  countStaged: async (home) => readdirSync(join(home, 'store', 'staging')).length,
  holding: async (home, needles) => filesHolding(home, needles),
  authority: (home) => join(home, 'tls', 'ca.crt'),
});
