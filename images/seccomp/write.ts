import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type ImageRole, ROLES } from '../role-specs.ts';
import { type SeccompProfile, seccompProfile } from './profile.ts';

const FORMATTER = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url));

function profilePath(role: ImageRole): string {
  return fileURLToPath(new URL(`./nectar-${role}.json`, import.meta.url));
}

/** A role's profile as JSON text, as an engine takes it. */
export function readProfile(role: ImageRole): string {
  return readFileSync(profilePath(role), 'utf8');
}

export function writeSeccomp(): number {
  for (const role of ROLES) writeFileSync(profilePath(role), JSON.stringify(seccompProfile(role), undefined, 2));
  execFileSync(FORMATTER, ['format', '--write', ...ROLES.map(profilePath)], { stdio: 'ignore' });
  return 0;
}

/** Exit code 3 when a profile does not say what images/seccomp/profile.ts makes. */
export function checkSeccomp(): number {
  const stale = ROLES.filter((role) => !isFresh(role));
  for (const role of stale) {
    process.stderr.write(`images/seccomp/nectar-${role}.json is stale: run scripts/images.ts seccomp\n`);
  }
  return stale.length === 0 ? 0 : 3;
}

function isFresh(role: ImageRole): boolean {
  if (!existsSync(profilePath(role))) return false;
  return isDeepStrictEqual(JSON.parse(readProfile(role)) as SeccompProfile, seccompProfile(role));
}
