import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findGateway } from '../node-client.ts';
import type { Check } from '../preflight.ts';
import { formatDuration } from '../render/quantities.ts';

const EXPIRY_POOR_MS = 30 * 86_400_000;

/** The certificates that clients see, judged by both their ends. */
export async function checkCertificates(home: string, now: number): Promise<Check[]> {
  return [await checkServedCertificate(home, now), ...checkSiteCertificate(home, now)];
}

async function checkServedCertificate(home: string, now: number): Promise<Check> {
  const path = join(home, 'tls', 'server.crt');
  if (existsSync(path)) return checkCertificate(readFileSync(path, 'utf8'), now);
  const { servedCertificate } = await import('./examine-containers.ts');
  const gateway = await findGateway(home);
  const pem = gateway === undefined ? undefined : await servedCertificate(home, gateway);
  if (pem !== undefined) return checkCertificate(pem, now);
  return { name: 'certificate', value: 'the gateway shows none', grade: 'bad', advice: 'nectar-byon up' };
}

/** The site's own, which nobody but the site renews. */
function checkSiteCertificate(home: string, now: number): Check[] {
  const path = join(home, 'tls', 'site.crt');
  if (!existsSync(path)) return [];
  const advice = 'nectar-byon tls replace, with a new one from your authority';
  return [{ ...checkCertificate(readFileSync(path, 'utf8'), now, advice), name: "site's certificate" }];
}

function checkCertificate(pem: string, now: number, advice = 'nectar-byon tls renew'): Check {
  const certificate = parseCertificate(pem);
  if (certificate === undefined)
    return { name: 'certificate', value: 'damaged: no client accepts it', grade: 'bad', advice };
  const { validFromDate, validToDate } = certificate;
  const left = validToDate.getTime() - now;
  if (left <= 0) return { name: 'certificate', value: 'expired', grade: 'bad', advice };
  // A clock that was ahead once made it: to clients it is no better than an expired one.
  if (validFromDate.getTime() > now)
    return { name: 'certificate', value: `begins only at ${validFromDate.toISOString()}`, grade: 'bad', advice };
  const value = `good for ${formatDuration(left)}`;
  if (left < EXPIRY_POOR_MS) return { name: 'certificate', value, grade: 'poor', advice };
  return { name: 'certificate', value, grade: 'good' };
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
