import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { createAnchor, ethCall } from '../anchor/index.ts';
import { homePaths, readDescriptor, readPublicIdentity } from '../config/index.ts';
import { createAuditAppendClient } from '../crossing/audit-append/client.ts';
import { createBlockFetcher } from '../crossing/blocks/block-fetcher.ts';
import { type BlocksClient, createBlocksClient, type RollupSecrets } from '../crossing/blocks/client.ts';
import { createConnection } from '../crossing/connection.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { rollupRoutes } from '../crossing/rollup/server.ts';
import { createCrossingServer } from '../crossing/server.ts';
import { healthSocketPath, socketPath } from '../crossing/socket.ts';
import { createMembership } from '../membership/index.ts';
import { createP2p } from '../p2p/index.ts';
import { createReplication } from '../replication/index.ts';
import { createRollup } from '../rollup/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { now, type RoleOptions, randomBytes, type WireDeps, type Wiring } from '../wiring.ts';
import { reportLife } from './report-life.ts';

const SECRETS_RETRY_MS = 250;

/** `run rollup`: the public state, the network, and what leaves the machine. It sees ciphertext, commitments and its own secrets. */
export async function wireRollup(options: RoleOptions, { log, metrics }: WireDeps): Promise<Wiring> {
  const { home, version, config, sockets } = options;
  const paths = homePaths(home);
  const { descriptor } = readDescriptor(home);
  const peerId = readPublicIdentity(home).peerId as PeerIdText;
  const store = createBlocksClient(createConnection({ service: 'store', path: socketPath(sockets, 'blocks') }));
  const audit = createAuditAppendClient(
    createConnection({ service: 'audit', path: socketPath(sockets, 'audit-append') }),
  );
  let secrets: RollupSecrets | undefined;
  const secret = (name: keyof RollupSecrets): Uint8Array => {
    if (secrets === undefined) throw new NectarError('KEY_LOCKED', {});
    return secrets[name].slice();
  };

  const rollup = createRollup(
    {
      config: config.rollup,
      descriptor,
      databasePath: paths.rollupDatabase,
      durable: false,
      clientVersion: `nectar-byon/${version}`,
    },
    {
      secrets: { databaseKey: () => secret('databaseKey'), operatorKey: () => secret('operatorKey') },
      log: log.child({ service: 'rollup' }),
      metrics,
      now,
      randomBytes,
    },
  );
  const p2p = createP2p(
    {
      ...config.p2p,
      l2ChainId: BigInt(descriptor.l2.chainId),
      bootstrap: descriptor.bootstrap,
      replicas: config.store.replicas,
    },
    {
      identitySeed: async () => secret('identitySeed'),
      registry: rollup.registry,
      unsafe: {
        accept: rollup.acceptUnsafe,
        range: rollup.unsafeRange,
        onUnsafe: rollup.onUnsafe,
        head: () => rollup.heads().unsafe.number,
      },
      onHead: rollup.onHead,
      blocks: store.blocks,
      held: store.held,
      log,
      metrics,
      now,
    },
  );

  // What leaves the machine: ciphertext to holders, salted roots and checkpoints to the chain.
  const fetcher = createBlockFetcher({ blocks: store, holders: p2p, log });
  const replication = createReplication(config.replication, {
    store,
    replicate: (root, blocks, signal, holders) => p2p.replicate(root, blocks, signal, holders),
    log,
    metrics,
    now,
  });
  const anchor = createAnchor(
    { ...config.anchor, folder: paths.anchor },
    {
      records: store,
      audit,
      chain: {
        address: () => rollup.account.address(),
        balance: () => rollup.account.balance(),
        send: (tx) => rollup.account.send(tx),
        call: ethCall((body) => rollup.rpc(body)),
        safeBlock: () => rollup.heads().safe.number,
      },
      isAuthorized: (peer) => rollup.registry.isAuthorized(peer),
      peerId: () => peerId,
      log,
      metrics,
      now,
    },
  );
  const membership = createMembership({
    peerId: () => peerId,
    addresses: () => p2p.addresses(),
    nodes: () => rollup.registry.nodes(),
    account: rollup.account,
  });

  const services = [rollup, p2p, fetcher, replication, anchor];
  const crossing = createCrossingServer(
    { name: 'rollup', path: socketPath(sockets, 'rollup') },
    { routes: rollupRoutes({ rollup, p2p, anchor, membership, services }), log },
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
