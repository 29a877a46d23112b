import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { tellHardening } from './harden-story.ts';
import { Workplace } from './workplace.ts';

const token = (home: string): string => join(home, 'client', 'token');

/** The embedded target: one process, everything below the home. */
tellHardening(new Workplace(), {
  name: 'process',
  initArguments: [],
  weakening: {
    check: 'BYON-FIL-001',
    async make(home) {
      chmodSync(token(home), 0o644);
    },
    async mend(home) {
      chmodSync(token(home), 0o600);
    },
  },
});
