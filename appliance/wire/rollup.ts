import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../protocol/errors.ts';
import { createAuditAppendClient } from '../crossing/audit-append/client.ts';
import { createBlockFetcher } from '../crossing/blocks/block-fetcher.ts';
import { type BlocksClient, createBlocksClient, type RollupSecrets } from '../crossing/blocks/client.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { logLevelsRoutes } from '../crossing/log-levels/server.ts';
import { metricsRoutes } from '../crossing/metrics/server.ts';
import { rollupRoutes } from '../crossing/rollup/server.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import type { Logger } from '../telemetry/index.ts';
import type { RoleDeps, RoleOptions, Wiring } from '../wiring.ts';
import { rollupIdentity } from './asked-identity.ts';
import { carrierOf } from './carrier-of.ts';
import { wirePublicSide } from './public-side.ts';
import { reportLife } from './report-life.ts';

const SECRETS_RETRY_MS = 250;

/** `run rollup`: the public state, the network, and what leaves the machine. It sees ciphertext, commitments and its own secrets. */
export async function wireRollup(options: RoleOptions, deps: RoleDeps): Promise<Wiring> {
  const { log, levels, metrics } = deps;
  const carrier = carrierOf('rollup', options, deps);
  const { version, sockets } = options;
  const store = createBlocksClient(carrier.connect('blocks'));
  const audit = createAuditAppendClient(carrier.connect('audit-append'));
  const identity = await rollupIdentity(options, deps);
  let secrets: RollupSecrets | undefined;
  const secret = (name: keyof RollupSecrets) => (): Uint8Array => {
    if (secrets === undefined) throw new NectarError('KEY_LOCKED', {});
    return new Uint8Array(secrets[name]);
  };

  const side = {
    store,
    audit,
    secrets: {
      databaseKey: secret('databaseKey'),
      operatorKey: secret('operatorKey'),
      identitySeed: secret('identitySeed'),
    },
  };
  const { rollup, p2p, replication, anchor, membership, keepMembership, auditorDesk, witness, auditHeads } =
    wirePublicSide({ ...options, identity }, side, deps);
  const fetcher = createBlockFetcher({ blocks: store, holders: p2p, log });

  const services = [rollup, p2p, fetcher, replication, anchor, witness, keepMembership];
  const heads = { anchored: () => anchor.anchored(), auditAnchors: auditHeads };
  const crossings = carrier.serve({
    rollup: [
      ...rollupRoutes({ rollup, p2p, anchor: heads, witness, membership, auditor: auditorDesk, services }),
      ...metricsRoutes(metrics),
      ...logLevelsRoutes(levels),
    ],
  });
  const life = { role: 'rollup', version } as const;
  return {
    alive: [
      ...carrier.credentials,
      ...crossings,
      createHealthServer(healthSocketPath(sockets, 'rollup'), [...carrier.credentials, ...services]),
    ],
    usable: services,
    url: () => undefined,
    async whenUsable(signal) {
      secrets = await obtainSecrets(store, log, signal);
    },
    onStarted: () => reportLife('node.start', life, { audit, log }),
    onStopping: () => reportLife('node.stop', life, { audit, log }),
  };
}

/** Until the store is there, of our version, and unlocked: it answers no sooner. */
async function obtainSecrets(store: BlocksClient, log: Logger, signal: AbortSignal): Promise<RollupSecrets> {
  for (;;) {
    try {
      return await store.secrets(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.debug({ err: error }, 'the store does not give the secrets yet');
    }
    await sleep(SECRETS_RETRY_MS, undefined, { signal });
  }
}
