import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../protocol/errors.ts';
import { createAuditAppendClient } from '../crossing/audit-append/client.ts';
import { createBlockFetcher } from '../crossing/blocks/block-fetcher.ts';
import { type BlocksClient, createBlocksClient, type RollupSecrets } from '../crossing/blocks/client.ts';
import { createConnection } from '../crossing/connection.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { metricsRoutes } from '../crossing/metrics/server.ts';
import { rollupRoutes } from '../crossing/rollup/server.ts';
import { createCrossingServer } from '../crossing/server.ts';
import { healthSocketPath, socketPath } from '../crossing/socket.ts';
import type { Logger } from '../telemetry/index.ts';
import type { RoleOptions, WireDeps, Wiring } from '../wiring.ts';
import { wirePublicSide } from './public-side.ts';
import { reportLife } from './report-life.ts';

const SECRETS_RETRY_MS = 250;

/** `run rollup`: the public state, the network, and what leaves the machine. It sees ciphertext, commitments and its own secrets. */
export async function wireRollup(options: RoleOptions, { log, metrics }: WireDeps): Promise<Wiring> {
  const { version, sockets } = options;
  const store = createBlocksClient(createConnection({ service: 'store', path: socketPath(sockets, 'blocks') }));
  const audit = createAuditAppendClient(
    createConnection({ service: 'audit', path: socketPath(sockets, 'audit-append') }),
  );
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
  const { rollup, p2p, replication, anchor, membership, witness, auditHeads } = wirePublicSide(options, side, {
    log,
    metrics,
  });
  const fetcher = createBlockFetcher({ blocks: store, holders: p2p, log });

  const services = [rollup, p2p, fetcher, replication, anchor, witness];
  const heads = { anchored: () => anchor.anchored(), auditAnchors: auditHeads };
  const crossing = createCrossingServer(
    { name: 'rollup', path: socketPath(sockets, 'rollup') },
    {
      routes: [
        ...rollupRoutes({ rollup, p2p, anchor: heads, witness, membership, services }),
        ...metricsRoutes(metrics),
      ],
      log,
    },
  );
  const life = { role: 'rollup', version } as const;
  return {
    alive: [crossing, createHealthServer(healthSocketPath(sockets, 'rollup'), services)],
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
