import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NectarError } from '../../../protocol/errors.ts';
import type { ContainerRole } from './role-table.ts';

/** In the clone beside the images; in the published package beside the bundle. */
const FOLDERS = ['../../../images/seccomp/', './seccomp/'] as const;

/** The seccomp profile of a role, as it was made from observed calls (images/seccomp). */
export function readSeccompProfile(role: ContainerRole): string {
  const names = [`nectar-${role}.json`, 'nectar.json'];
  for (const folder of FOLDERS) {
    for (const name of names) {
      const path = fileURLToPath(new URL(`${folder}${name}`, import.meta.url));
      if (existsSync(path)) return JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
    }
  }
  throw new NectarError('CLI_INSTALL_BROKEN', {});
}
