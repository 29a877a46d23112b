import { randomBytes, randomInt } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import type { PublicIdentity } from '../../../appliance/config/index.ts';
import { checkHealth } from '../../../appliance/crossing/health/check-health.ts';
import { storeIntroduction } from '../../../appliance/crossing/introduction.ts';
import { healthSocketPath } from '../../../appliance/crossing/socket.ts';
import type { SplitRole } from '../../../appliance/crossing/table.ts';
import { createTlsCarrier } from '../../../appliance/crossing/tls/tls-carrier.ts';
import { createCertificates } from '../../../appliance/gateway/tls.ts';
import { runSplitRole, type WireRole } from '../../../appliance/run-split-role.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import { wireAudit } from '../../../appliance/wire/audit.ts';
import { wireGateway } from '../../../appliance/wire/gateway.ts';
import { wireStore } from '../../../appliance/wire/store.ts';
import { signDescriptor } from '../../../protocol/network/descriptor.ts';
import { INSTANCE, issuePair } from '../../compliance/crossing-certificates.ts';
import { until } from '../../e2e/workplace.ts';
import { SAMPLE_DESCRIPTOR } from '../../unit/protocol/network/sample-descriptor.ts';

type Pod = 'store' | 'audit' | 'gateway-0' | 'gateway-1';
const WIRES: Readonly<Record<string, WireRole>> = { store: wireStore, audit: wireAudit, gateway: wireGateway };
const VOLUMES = ['keys', 'store', 'audit', 'gateway'] as const;
const NOT_YET = ['NODE_NOT_READY', 'NODE_CONNECTION_LOST'];
const roleOf = (pod: Pod): SplitRole => pod.replace(/-\d$/, '') as SplitRole;

/**
 * The roles of a node as a cluster runs them, each with volumes of its own and crossings over TLS, in this process. The rollup is a
 * client that introduces itself: without an L1 it has nothing to follow.
 */
export class ClusterNode {
  readonly folder = mkdtempSync(join(tmpdir(), 'nectar-cluster-'));
  readonly bootstrap = randomBytes(32).toString('hex');
  readonly urls = new Map<Pod, string>();
  readonly #running = new Map<Pod, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  #env: Record<string, string> = {};
  #agent = new Agent();

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  async prepare(config: { readonly keyFile?: string; readonly host?: string } = {}): Promise<void> {
    // An address of its own on loopback: nobody else's connection ever has these ports there, while a role is down either.
    const host = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
    this.#env = {
      NECTAR_CROSSINGS: 'tls',
      NECTAR_CROSSING_INSTANCE: INSTANCE,
      NECTAR_CROSSING_STORE: `${host}:7402`,
      NECTAR_CROSSING_AUDIT: `${host}:7403`,
      NECTAR_CROSSING_ROLLUP: `${host}:7404`,
      NECTAR_FIRST_START: 'make',
    };
    const made = await createCertificates({ nodeId: 'cluster', hostName: 'localhost', names: [], now: Date.now() });
    this.#agent = new Agent({ connect: { ca: made.caCertificate, servername: 'localhost' } });
    writeFileSync(this.path('bootstrap-token'), `${this.bootstrap}\n`);
    writeFileSync(this.path('root-key'), randomBytes(32), { mode: 0o400 });
    for (const pod of ['store', 'audit', 'gateway-0', 'gateway-1'] as const) {
      mkdirSync(this.path(pod, 'config'), { recursive: true });
      for (const volume of VOLUMES) mkdirSync(this.path(pod, volume));
      const settings = {
        keys: { keyFile: config.keyFile ?? this.path('root-key'), unlockDelayMs: 0 },
        gateway: { port: 0, bootstrapTokenFile: this.path('bootstrap-token') },
        audit: { chainWaitMs: 0 },
        log: { level: 'error' },
      };
      writeFileSync(this.path(pod, 'config', 'config.json'), JSON.stringify(settings));
      writeFileSync(
        this.path(pod, 'config', 'network.json'),
        signDescriptor(SAMPLE_DESCRIPTOR, new Uint8Array(32).fill(1)),
      );
      await issuePair(this.path(pod, 'tls'), roleOf(pod));
      mkdirSync(this.path(pod, 'gateway', 'tls'));
      writeFileSync(this.path(pod, 'gateway', 'tls', 'server.crt'), made.serverCertificate);
      writeFileSync(this.path(pod, 'gateway', 'tls', 'server.key'), made.serverKey);
    }
    await issuePair(this.path('rollup', 'tls'), 'rollup');
  }

  start(pod: Pod, env: Record<string, string> = {}): void {
    const role = roleOf(pod);
    const stop = new AbortController();
    const address = this.#env[`NECTAR_CROSSING_${role.toUpperCase()}`];
    const ended = runSplitRole(
      {
        role: role as Exclude<SplitRole, 'rollup'>,
        home: this.path(pod),
        version: '0.0.0',
        env: {
          ...this.#env,
          ...(address !== undefined && { NECTAR_CROSSING_LISTEN: address }),
          NECTAR_CROSSING_TLS: this.path(pod, 'tls'),
          NECTAR_SOCKETS: this.path(pod, 'run'),
          ...env,
        },
        signal: stop.signal,
        onListening: (url) => url !== undefined && this.urls.set(pod, url),
      },
      WIRES[role] ?? wireStore,
    );
    ended.catch(() => undefined);
    this.#running.set(pod, { stop, ended });
  }

  async end(pod: Pod): Promise<void> {
    const running = this.#running.get(pod);
    this.#running.delete(pod);
    this.urls.delete(pod);
    running?.stop.abort();
    await running?.ended;
  }

  /** What the rollup does first, until it is told. */
  introduceRollup(known: PublicIdentity | null = null): Promise<PublicIdentity> {
    return this.#asRollup(async (introduce) => {
      const outcome = await until('the store to say which node it is', () =>
        introduce(known).then(
          (identity) => ({ identity }),
          (error: { code: string }) => (NOT_YET.includes(error.code) ? undefined : { error }),
        ),
      );
      if ('error' in outcome) throw outcome.error;
      return outcome.identity;
    });
  }

  /** Until it was heard, whatever the answer. */
  async introduceRollupOnce(): Promise<void> {
    await this.#asRollup((introduce) =>
      until('the store to hear the rollup', () =>
        introduce(null).then(
          () => true as const,
          ({ code, message }: { code: string; message: string }) =>
            (code !== 'NODE_CONNECTION_LOST' && !message.includes('not answer')) || undefined,
        ),
      ),
    );
  }

  async #asRollup<T>(work: (introduce: (known: PublicIdentity | null) => Promise<PublicIdentity>) => Promise<T>) {
    const [host = '', port] = (this.#env.NECTAR_CROSSING_STORE ?? '').split(':');
    const log = createLogger({ level: 'silent' });
    const carrier = createTlsCarrier(
      {
        ...{ role: 'rollup', instance: INSTANCE, folder: this.path('rollup', 'tls'), listen: { port: 0 } },
        addresses: { store: { host, port: Number(port) } },
      },
      { log, metrics: createMetrics(), now: Date.now },
    );
    const signal = new AbortController().signal;
    for (const service of carrier.credentials) await service.start(signal);
    const connection = carrier.connect('blocks');
    try {
      return await work((known) => storeIntroduction(connection).introduce({ known }));
    } finally {
      await connection.close();
      for (const service of carrier.credentials) await service.stop();
    }
  }

  health(pod: Pod) {
    return checkHealth(healthSocketPath(this.path(pod, 'run'), roleOf(pod)));
  }

  /** Until the pod is ready, or says why not in these words. */
  async until(pod: Pod, reason: RegExp | 'ready' = 'ready'): Promise<void> {
    await until(`${pod}: ${reason}`, async () => {
      const health = await this.health(pod);
      return (reason === 'ready' ? health.ready : reason.test(health.reason)) || undefined;
    });
  }

  async call(pod: Pod, path: string, { token = this.bootstrap, ...init }: RequestInit & { token?: string } = {}) {
    const url = await until(`${pod} to listen`, async () => this.urls.get(pod));
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
    const response: Response = await fetch(`${url}${path}`, { ...init, headers, dispatcher: this.#agent });
    const bytes = Buffer.from(await response.arrayBuffer());
    const json = (): Record<string, unknown> => JSON.parse(bytes.toString('utf8'));
    return { status: response.status, headers: response.headers, bytes, json };
  }

  identity(...at: string[]): PublicIdentity {
    return JSON.parse(readFileSync(this.path(...at, 'public.json'), 'utf8')) as PublicIdentity;
  }

  /** Puts another folder in place of a volume, and keeps the one that was there. */
  swap(volume: string, kept: string): void {
    renameSync(this.path(volume), this.path(kept));
    mkdirSync(this.path(volume));
  }

  putBack(volume: string, kept: string): void {
    rmSync(this.path(volume), { recursive: true });
    cpSync(this.path(kept), this.path(volume), { recursive: true });
  }

  async close(): Promise<void> {
    for (const pod of [...this.#running.keys()].reverse()) await this.end(pod);
    await this.#agent.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
