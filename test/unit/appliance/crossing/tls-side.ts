import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { SplitRole } from '../../../../appliance/crossing/table.ts';
import { createCertificates } from '../../../../appliance/crossing/tls/certificates.ts';
import { createOpenConnections } from '../../../../appliance/crossing/tls/open-connections.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import {
  type CrossingAuthority,
  createCrossingAuthority,
  issueRoleCertificate,
} from '../../../../cli/provision/crossings/crossing-authority.ts';

export const log = createLogger({ level: 'silent' });
export const INSTANCE = 'nectar.clinic';
export const DAY_MS = 86_400_000;

export const lifetime = (days = 1) => ({ now: Date.now(), notAfter: Date.now() + days * DAY_MS });
/** Of the node under test. */
export const authority = createCrossingAuthority(INSTANCE, lifetime(3));

export interface Shown {
  readonly issuer?: CrossingAuthority;
  readonly believed?: readonly CrossingAuthority[];
  readonly instance?: string;
  readonly days?: number;
}

/** Writes what a role shows, and whom it believes. */
async function write(folder: string, role: SplitRole, { issuer, believed, instance, days }: Shown = {}): Promise<void> {
  const own = await authority;
  const pair = await issueRoleCertificate(issuer ?? own, { role, instance: instance ?? INSTANCE }, lifetime(days));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'ca.crt'), (believed ?? [own]).map(({ certificate }) => certificate).join(''));
  await writeFile(join(folder, 'tls.key'), pair.key);
  await writeFile(join(folder, 'tls.crt'), pair.certificate);
}

/** One side of a crossing, with a clock of its own. */
export async function side(t: TestContext, role: SplitRole, shown?: Shown) {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await write(folder, role, shown);
  const clock = { ahead: 0 };
  const now = (): number => Date.now() + clock.ahead;
  const certificates = createCertificates({ folder, role, instance: shown?.instance ?? INSTANCE }, { log, now });
  const open = createOpenConnections({ now, pair: certificates.find });
  certificates.onChange(open.sweep);
  await certificates.reload();
  return { folder, role, clock, now, certificates, open, renew: (next?: Shown) => write(folder, role, next) };
}

export type Side = Awaited<ReturnType<typeof side>>;
