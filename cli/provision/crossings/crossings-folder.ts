import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { SplitRole } from '../../../appliance/crossing/table.ts';
import { makeFolder, replaceFile } from '../../../appliance/durable-file.ts';
import {
  type AuthorityRequest,
  advanceAuthority,
  type KeptAuthority,
  openAuthority,
  type Rotation,
  writing,
} from './authority-folder.ts';
import { issueRoleCertificate } from './crossing-authority.ts';

const ROLES: readonly SplitRole[] = ['gateway', 'store', 'audit', 'rollup'];
const DAY_MS = 86_400_000;

/** In its folder: `ca/` with the authority and its key, and a folder a role: tls.crt, tls.key, ca.crt. */
export interface CrossingsRequest extends AuthorityRequest {
  /** Of the roles' certificates. */
  readonly days: number;
}

export interface IssuedCrossings {
  readonly instance: string;
  readonly rotation: Rotation;
  readonly authority: { readonly fingerprint: string; readonly notAfter: string; readonly isNew: boolean };
  readonly roles: readonly { readonly role: SplitRole; readonly folder: string; readonly notAfter: string }[];
}

/**
 * Makes the authority of a node's crossings and a certificate for each role; where the authority is there already, new certificates of
 * it. Folders of roles are what their Secrets hold; `ca/` stays with whoever renews.
 *
 * @throws NectarError CLI_CROSSINGS_FOLDER_INVALID, CLI_USAGE, NODE_DISK_FULL
 */
export async function issueCrossings(request: CrossingsRequest): Promise<IssuedCrossings> {
  return writeRoles(request, await openAuthority(request));
}

/** The next step of `advanceAuthority`, with certificates for each role as that step wants them. */
export async function rotateCrossings(request: CrossingsRequest): Promise<IssuedCrossings> {
  return writeRoles(request, await advanceAuthority(request));
}

async function writeRoles({ folder, days, now }: CrossingsRequest, kept: KeptAuthority): Promise<IssuedCrossings> {
  const { instance, rotation, current, isNew, trusted } = kept;
  const roles: { role: SplitRole; folder: string; notAfter: string }[] = [];
  for (const role of ROLES) {
    const at = join(folder, role);
    const made = await issueRoleCertificate(current, { role, instance }, { now, notAfter: now + days * DAY_MS });
    await writing(at, () => makeFolder(at));
    await writing(at, async () => {
      await replaceFile(join(at, 'ca.crt'), trusted, 0o644);
      await replaceFile(join(at, 'tls.key'), made.key, 0o600);
      await replaceFile(join(at, 'tls.crt'), made.certificate, 0o644);
    });
    roles.push({ role, folder: at, notAfter: new X509Certificate(made.certificate).validToDate.toISOString() });
  }
  const { fingerprint256: fingerprint, validToDate } = new X509Certificate(current.certificate);
  return { instance, rotation, authority: { fingerprint, notAfter: validToDate.toISOString(), isNew }, roles };
}
