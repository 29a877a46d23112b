import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DOCKER_SOCKET, loadImages } from '../integration/docker/docker-place.ts';
import { tellHardening } from './harden-story.ts';
import { Workplace } from './workplace.ts';

const hasEngine = existsSync('/var/run/docker.sock');
const token = (home: string): string => join(home, 'client', 'token');

if (hasEngine || process.env.CI === 'true') loadImages(DOCKER_SOCKET);

/** The container target: the same report of four containers, their engine and their volumes. */
tellHardening(new Workplace(), {
  name: 'docker',
  initArguments: ['--target', 'docker'],
  skip: hasEngine || process.env.CI === 'true' ? false : 'no container engine on this machine',
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
