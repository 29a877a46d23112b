import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createConnection } from '../../../../appliance/crossing/connection.ts';
import { feed, unary } from '../../../../appliance/crossing/method.ts';
import { feedRoute, unaryRoute } from '../../../../appliance/crossing/route.ts';
import { count, exact, nothing, text } from '../../../../appliance/crossing/shape.ts';
import type { CrossingName, SplitRole } from '../../../../appliance/crossing/table.ts';
import { createCertificates } from '../../../../appliance/crossing/tls/certificates.ts';
import { createCrossingMetrics } from '../../../../appliance/crossing/tls/metrics.ts';
import { createOpenConnections } from '../../../../appliance/crossing/tls/open-connections.ts';
import { tlsDialer } from '../../../../appliance/crossing/tls/tls-dialer.ts';
import { createTlsServer } from '../../../../appliance/crossing/tls/tls-server.ts';
import { CROSSING_VERSION } from '../../../../appliance/crossing/version.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
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

export const echo = unary({ name: 'echo', input: exact({ text: text(100) }), output: exact({ text: text(100) }) });
export const watch = feed({ name: 'watch', input: nothing, item: count, output: nothing });

/** The audit role, which serves all of its crossings; how often it was called. */
export async function serving(t: TestContext, at: Side) {
  const calls: string[] = [];
  const routes = [
    unaryRoute(echo, (input) => {
      calls.push(input.text);
      return input;
    }),
    feedRoute(watch, async (_, send, gone) => {
      await send(1);
      await new Promise((_resolve, reject) => gone.addEventListener('abort', () => reject(gone.reason)));
      return null;
    }),
  ];
  const registry = createMetrics();
  const server = createTlsServer(
    { role: 'audit', instance: INSTANCE, listen: { host: '127.0.0.1', port: 0 }, version: CROSSING_VERSION },
    {
      crossings: { 'audit-append': routes, 'audit-read': routes, 'audit-keys': routes },
      ...at,
      metrics: createCrossingMetrics(registry, at),
      log,
    },
  );
  await server.start(new AbortController().signal);
  t.after(() => server.stop());
  return { calls, registry, port: server.port() ?? 0 };
}

export function calling(t: TestContext, from: Side, crossing: CrossingName, port: number) {
  const dialer = tlsDialer({ crossing, instance: INSTANCE, address: { host: '127.0.0.1', port } }, from);
  const connection = createConnection({ service: 'audit', dialer });
  t.after(() => connection.close());
  return connection;
}

export const ask = (connection: ReturnType<typeof calling>) => connection.unary(echo, { text: 'a' });
