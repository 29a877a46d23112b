import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SplitRole } from '../../appliance/crossing/table.ts';
import {
  type CrossingAuthority,
  createCrossingAuthority,
  issueRoleCertificate,
} from '../../cli/provision/crossings/crossing-authority.ts';

export const INSTANCE = 'nectar.clinic';
const DAY_MS = 86_400_000;

let authority: Promise<CrossingAuthority> | undefined;

/** One for all houses of a process. */
export function standingAuthority(): Promise<CrossingAuthority> {
  authority ??= createCrossingAuthority(INSTANCE, { now: Date.now(), notAfter: Date.now() + 3 * DAY_MS });
  return authority;
}

/** Writes a role's three files into a folder, and returns the folder. */
export async function issuePair(folder: string, role: SplitRole, notAfter = Date.now() + DAY_MS): Promise<string> {
  const issuer = await standingAuthority();
  const pair = await issueRoleCertificate(issuer, { role, instance: INSTANCE }, { now: Date.now(), notAfter });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tls.crt'), pair.certificate);
  await writeFile(join(folder, 'tls.key'), pair.key, { mode: 0o600 });
  await writeFile(join(folder, 'ca.crt'), issuer.certificate);
  return folder;
}
