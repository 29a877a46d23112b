import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type ImageRole, ROLES } from '../role-specs.ts';
import { seccompProfile } from './profile.ts';

function profilePath(role: ImageRole): URL {
  return new URL(`./nectar-${role}.json`, import.meta.url);
}

function render(role: ImageRole): string {
  return `${JSON.stringify(seccompProfile(role), undefined, 2)}\n`;
}

export function readProfile(role: ImageRole): string {
  return readFileSync(profilePath(role), 'utf8');
}

export function writeSeccomp(): number {
  for (const role of ROLES) writeFileSync(profilePath(role), render(role));
  return 0;
}

/** Exit code 3 when a profile is not what images/seccomp/profile.ts makes. */
export function checkSeccomp(): number {
  const stale = ROLES.filter((role) => !existsSync(profilePath(role)) || readProfile(role) !== render(role));
  for (const role of stale)
    process.stderr.write(`images/seccomp/nectar-${role}.json is stale: run scripts/images.ts seccomp\n`);
  return stale.length === 0 ? 0 : 3;
}
