import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import { NectarError } from '../../protocol/errors.ts';
import type { Readiness, Service } from '../service.ts';
import { type BackupNotes, openBackupNotes } from './backup-notes.ts';
import type { BackupStatus } from './backup-schemas.ts';
import { type ClientAuthorities, openClientAuthorities } from './client-authorities.ts';
import { createClientCertificates } from './client-certificate.ts';
import { type ClientRevocations, openClientRevocations } from './client-revocations.ts';
import type { RevocationStanding } from './client-schemas.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { type GatewayPaths, gatewayTexts } from './gateway-texts.ts';
import { type HardeningNotes, openHardeningNotes } from './hardening-notes.ts';
import type { HardeningStatus } from './hardening-schemas.ts';
import { secureContextOf } from './https-server.ts';
import { listen } from './listen.ts';
import { openLocalSocket } from './local-socket.ts';
import { createStandingMetrics } from './metrics.ts';
import { type BuiltServer, buildServer } from './server.ts';
import { CONFIRM_EVERY_MS } from './shared-texts.ts';
import { type ShownCertificates, showCertificates } from './shown-certificates.ts';

const MAX_PEM_BYTES = 256 * 1024;
/** Held security events are tried again this often: while the node is locked there is no log to write them to. */
const FLUSH_INTERVAL_MS = 1_000;
/** How often tokens.json and the revocation lists are looked at: somebody may put other copies in place while the node runs. */
const LOOK_INTERVAL_MS = 5_000;
const IDLE_CHECK_MS = 50;

export interface GatewayOptions extends GatewayPaths {
  readonly config: GatewayConfig;
  /** Of the node: shown in /openapi.json. */
  readonly version: string;
  /** PEM files. */
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Where programs of this user on this machine find it without TLS: local-socket.ts. */
  readonly localSocketPath?: string | undefined;
}

export interface Gateway extends Service {
  /** For example `https://127.0.0.1:8443`; NODE_NOT_READY until it listens. */
  url(): string;
  /** Takes a renewed certificate into use for new connections. */
  reloadCertificate(): Promise<void>;
  /** What is on record of hardening reports; null when there is nothing. */
  hardening(): Promise<HardeningStatus | null>;
  /** What is on record of backup repositories; null when there is none. */
  backups(): Promise<BackupStatus | null>;
  /** How the revocation lists of the site's authorities are. */
  clientRevocations(): readonly RevocationStanding[];
}

/** The owner's HTTPS API: parse, authorise, call, serialise. It holds no data key, and starts before the node is unlocked. */
export function createGateway(options: GatewayOptions, dependencies: GatewayDependencies): Gateway {
  const { config } = options;
  const log = dependencies.log.child({ service: 'gateway' });
  const deps = { ...dependencies, log };
  const stopping = new AbortController();
  interface Built extends BuiltServer {
    /** The certificate in use, PEM. */
    readonly cert: Buffer;
    readonly shown: ShownCertificates;
    readonly local: Server | undefined;
    readonly hardening: HardeningNotes;
    readonly backups: BackupNotes;
    readonly authorities: ClientAuthorities;
    readonly revocations: ClientRevocations;
  }
  let built: Built | undefined;
  const useCertificates = async (): Promise<void> => {
    if (built === undefined) return;
    const tls = await readCertificate(options);
    built.server.server.setSecureContext(secureContextOf({ ...tls, authorities: built.authorities.trusted() }));
    built.hosts.use(tls.cert);
    await built.shown.look({ ...tls, authorities: built.authorities.trusted() });
    built = { ...built, cert: tls.cert };
  };
  /** A Secret was renewed, by whoever renews it. Half of a pair is no pair: it is looked at again. */
  const takeRenewed = async (): Promise<void> => {
    if (built === undefined) return;
    const tls = await readCertificate(options);
    if (built.cert.equals(tls.cert)) return built.shown.look({ ...tls, authorities: built.authorities.trusted() });
    await useCertificates();
    log.info({}, 'the renewed certificate is in use');
  };
  const lookAtFiles = (): void => {
    const failed = (error: unknown): void => log.debug({ err: error }, 'a watched file was not checked');
    deps.tokens.look().catch(failed);
    takeRenewed().catch(failed);
    built?.revocations.look().catch(failed);
    // For status and metrics, which ask nobody.
    built?.revocations.hold().catch(failed);
    built?.hardening.hold().catch(failed);
    built?.backups.hold().catch(failed);
  };
  const confirmShared = (): void => {
    deps.shared
      ?.confirm()
      .catch((error: unknown) => log.debug({ err: error }, 'notes shared between gateways were not read'));
  };
  let flushTimer: NodeJS.Timeout | undefined;
  let confirmTimer: NodeJS.Timeout | undefined;
  let lookTimer: NodeJS.Timeout | undefined;

  return {
    name: 'gateway',
    async start(signal) {
      const tls = await readCertificate(options);
      const texts = gatewayTexts(options, deps.shared);
      const hardening = await openHardeningNotes(texts.hardening, deps);
      const backups = await openBackupNotes(texts.backups, deps);
      const authorities = await openClientAuthorities(texts.authorities, {
        log,
        now: deps.now,
        onChange: async () => {
          await built?.revocations.look('again');
          await useCertificates();
        },
      });
      const revocations = await openClientRevocations(texts.revocations, {
        ...{ site: authorities.site, now: deps.now, log, metrics: deps.metrics, audit: deps.audit },
      });
      const setup = {
        config,
        version: options.version,
        tls: { ...tls, authorities: authorities.trusted() },
        clients: { authorities, certificates: createClientCertificates(authorities.isSite), revocations },
        hardening,
        backups,
        stopping: AbortSignal.any([signal, stopping.signal]),
      };
      createStandingMetrics(deps.metrics, {
        readiness: async () => deps.node.readiness(),
        certificate: () => built && new X509Certificate(built.cert),
      });
      const { server, routes, events, hosts, metrics } = await buildServer(setup, deps);
      hosts.use(tls.cert);
      try {
        await listen(server.server, config.host, config.port);
      } catch (error) {
        await server.close();
        throw error;
      }
      const { localSocketPath: path } = options;
      const local = path === undefined ? undefined : await openLocalSocket(path, server, { config, deps, metrics });
      const notes = { hardening, backups, authorities, revocations };
      const shown = showCertificates(options.certificatePath, { server: server.server, hosts, log, now: deps.now });
      built = { server, routes, events, hosts, metrics, cert: tls.cert, shown, local, ...notes };
      await useCertificates();
      flushTimer = setInterval(() => void events.flush(), FLUSH_INTERVAL_MS).unref();
      lookTimer = setInterval(lookAtFiles, LOOK_INTERVAL_MS).unref();
      // What another gateway revoked has begun things here that nobody asks about again: they end with the next look.
      if (deps.shared !== undefined) {
        confirmShared();
        confirmTimer = setInterval(confirmShared, CONFIRM_EVERY_MS).unref();
      }
      log.info({ url: urlOf(built) }, 'gateway listening');
    },
    async stop() {
      clearInterval(flushTimer);
      clearInterval(lookTimer);
      clearInterval(confirmTimer);
      if (built === undefined) return;
      const { server, events, local } = built;
      built = undefined;
      stopping.abort();
      const listeners = local === undefined ? [server.server] : [server.server, local];
      await Promise.all(listeners.map((listener) => drain(listener, config.drainTimeoutMs)));
      await events.flush(true);
      await server.close();
    },
    readiness(): Readiness {
      return built === undefined ? { ready: false, reason: 'not listening' } : { ready: true };
    },
    url() {
      if (built === undefined) throw new NectarError('NODE_NOT_READY', { service: 'gateway', reason: 'not listening' });
      return urlOf(built);
    },
    hardening: async () => (await built?.hardening.status()) ?? null,
    backups: async () => (await built?.backups.status()) ?? null,
    clientRevocations: () => built?.revocations.standing() ?? [],
    reloadCertificate: useCertificates,
  };
}

/** New connections are refused at once; requests in flight get their time, then the end of their connection, which aborts them. */
async function drain(server: Server | BuiltServer['server']['server'], timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose request has just been answered is kept alive by its client: it goes as soon as it is idle.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}

/** Where this machine reaches it: one that listens on all addresses has a certificate for loopback, not for 0.0.0.0. */
function urlOf({ server }: BuiltServer): string {
  const { address: bound, family, port } = server.server.address() as AddressInfo;
  const address = bound === '0.0.0.0' ? '127.0.0.1' : bound === '::' ? '::1' : bound;
  return `https://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function readCertificate({ certificatePath, keyPath }: GatewayOptions): Promise<{ cert: Buffer; key: Buffer }> {
  const [cert, key] = [await readPem(certificatePath), await readPem(keyPath)];
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new NectarError(
      'GATEWAY_CERTIFICATE_INVALID',
      { path: certificatePath, reason: 'it is damaged or does not match its key' },
      { cause: error },
    );
  }
  return { cert, key };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > MAX_PEM_BYTES) throw new RangeError('it is too large');
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : 'it cannot be read';
    throw new NectarError('GATEWAY_CERTIFICATE_INVALID', { path, reason }, { cause: error });
  }
}
