import { setTimeout as sleep } from 'node:timers/promises';
import { homePaths, readDescriptor } from '../config/index.ts';
import { type AuditAppendClient, createAuditAppendClient } from '../crossing/audit-append/client.ts';
import { createAuditReadClient } from '../crossing/audit-read/client.ts';
import { createCustodyClient } from '../crossing/custody/client.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { createLogLevelsClient } from '../crossing/log-levels/client.ts';
import { createMetricsClient } from '../crossing/metrics/client.ts';
import { remoteServices } from '../crossing/remote-service.ts';
import { createRollupClient } from '../crossing/rollup/client.ts';
import { createShelfClient } from '../crossing/shelf/client.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import { shared as askedOnce } from '../crossing/state.ts';
import { createBackupKeysClient, createKeysClient, createStoreClient } from '../crossing/store/client.ts';
import {
  createBootstrapToken,
  createGateway,
  createMetricsServer,
  createSharedTexts,
  createTokens,
  shareLogLevels,
} from '../gateway/index.ts';
import { createStatus } from '../status/index.ts';
import { createNodeLogLevels, createNodeMetrics, readFamilies, roleLogLevels } from '../telemetry/index.ts';
import { now, type RoleDeps, type RoleOptions, randomBytes, type Wiring } from '../wiring.ts';
import { gatewayIdentity } from './asked-identity.ts';
import { carrierOf } from './carrier-of.ts';
import { reportLife } from './report-life.ts';

/** A role that is well answers at once; one that does not is named in the readiness. */
const PROBE_TIMEOUT_MS = 2_000;
const AUDIT_RETRY_MS = 250;

/** `run gateway`: the owner's door. It holds its TLS key and the list of tokens, and no data key. */
export async function wireGateway(options: RoleOptions, deps: RoleDeps): Promise<Wiring> {
  const { log, levels, metrics } = deps;
  const { home, version, config, sockets } = options;
  const paths = homePaths(home);
  const { nodeId, peerId, operator, tokenJwk } = await gatewayIdentity(options, deps);
  const { descriptor } = readDescriptor(home);
  const carrier = carrierOf('gateway', options, deps);

  const atStore = carrier.connect('store');
  const store = createStoreClient(atStore);
  const keys = createKeysClient(atStore);
  const append = createAuditAppendClient(carrier.connect('audit-append'));
  const atAudit = carrier.connect('audit-read');
  const read = createAuditReadClient(atAudit);
  const atRollup = carrier.connect('rollup');
  const rollup = createRollupClient(atRollup);
  // In a cluster there are several gateways, and none has a volume: what they must all know the store keeps.
  const shared =
    options.crossings.carrier === 'tls'
      ? createSharedTexts(createShelfClient(atStore), () => performance.now())
      : undefined;
  const tokens = await createTokens(
    { path: paths.tokens, nodeId, publicJwk: tokenJwk, ...(shared && { text: shared.text('tokens') }) },
    {
      signer: { sign: keys.signToken },
      now,
      randomBytes,
      log: { latest: append.latest, append: append.append, loggedTokens: read.loggedTokens },
    },
  );

  // Every role tells its own state; asked for once, however many want to know.
  const storeState = askedOnce(() => store.state(PROBE_TIMEOUT_MS));
  const auditState = askedOnce(() => read.state(PROBE_TIMEOUT_MS));
  const rollupState = askedOnce(() => rollup.state(PROBE_TIMEOUT_MS));
  const custody = createCustodyClient(atStore);
  const logLevels = createNodeLogLevels([
    shared === undefined
      ? roleLogLevels('gateway', levels)
      : shareLogLevels(levels, shared.text('log-levels'), { log, now }),
    createLogLevelsClient('store', atStore),
    createLogLevelsClient('audit', atAudit),
    createLogLevelsClient('rollup', atRollup),
  ]);
  const view = createStatus(
    { nodeId, peerId, network: descriptor.name, version, roles: ['gateway', 'store', 'audit', 'rollup'] },
    {
      services: [
        ...carrier.credentials,
        ...remoteServices(['keys', 'audit keys', 'key list', 'store'], storeState),
        ...remoteServices(['audit'], auditState),
        ...remoteServices(['rollup', 'p2p', 'replication', 'anchor'], rollupState),
      ],
      isLocked: async () => (await storeState()).locked,
      heads: async () =>
        known((await rollupState()).heads, ({ unsafe, safe, finalized }) => ({
          unsafe: { number: unsafe },
          safe: { number: safe },
          finalized: { number: finalized },
        })),
      peers: async () => known((await rollupState()).peers),
      membership: async () => known((await rollupState()).membership),
      records: async () => known((await storeState()).records),
      audit: async () => known((await auditState()).standing),
      anchoredRecords: async () => known((await storeState()).anchored),
      anchored: async () => known((await rollupState()).anchored),
      assertions: async () => known((await rollupState()).assertions),
      l1: async () => known((await rollupState()).l1),
      witness: rollupState,
      storage: async () => known((await storeState()).condition),
      tokens: () => tokens.reconciled(),
      hardening: () => gateway.hardening(),
      backups: () => gateway.backups(),
      custody: () => custody.standing(),
      logLevels: logLevels.read,
      clientRevocations: () => gateway.clientRevocations(),
      now,
    },
  );

  const nodeMetrics = createNodeMetrics([
    { role: 'gateway', read: () => readFamilies(metrics) },
    createMetricsClient('store', atStore),
    createMetricsClient('audit', atAudit),
    createMetricsClient('rollup', atRollup),
  ]);
  const gateway = createGateway(
    {
      config: config.gateway,
      version,
      certificatePath: paths.certificate,
      keyPath: paths.certificateKey,
      localSocketPath: paths.localSocket,
      hardeningPath: paths.hardening,
      backupsPath: paths.backups,
      clientPaths: paths.clientAuthorities,
    },
    {
      keys,
      backups: createBackupKeysClient(atStore),
      audit: { ...append, ...read },
      store,
      custody,
      rollup,
      p2p: rollup,
      anchor: rollup,
      node: {
        readiness: view.readiness,
        status: view.status,
        network: async () => {
          const { addresses, ...membership } = await rollup.network();
          return {
            network: descriptor.name,
            l1ChainId: Number(descriptor.l1.chainId),
            l2ChainId: Number(descriptor.l2.chainId),
            genesisHash: descriptor.l2.genesisHash,
            peerId,
            operator,
            addresses: [...addresses],
            ...membership,
          };
        },
        join: () => rollup.join(),
        leave: () => rollup.leave(),
        appeal: (of) => rollup.appeal(of),
      },
      auditor: {
        queue: async () => {
          const { due, ...rest } = await rollup.auditorQueue();
          return { ...rest, due: [...due] };
        },
        decide: (decision) => rollup.auditorDecide(decision),
      },
      tokens,
      ...(shared && { shared }),
      log,
      metrics,
      nodeMetrics,
      logLevels,
      now,
      randomBytes,
    },
  );
  const metricsServer = createMetricsServer(config.gateway, { metrics: nodeMetrics, log });
  const bootstrap = createBootstrapToken({ path: config.gateway.bootstrapTokenFile }, { tokens, audit: append, log });
  const life = { role: 'gateway', version } as const;
  return {
    alive: [
      ...carrier.credentials,
      gateway,
      metricsServer,
      createHealthServer(healthSocketPath(sockets, 'gateway'), [...carrier.credentials, gateway], {
        status: view.status,
      }),
    ],
    usable: [bootstrap],
    url: () => gateway.url(),
    whenUsable: (signal) => whenAppendable(append, signal),
    onStarted: () => reportLife('node.start', life, { audit: append, log }),
    onStopping: () => reportLife('node.stop', life, { audit: append, log }),
  };
}

/** What a role does not know yet is null there, and here an error that the status shows as null again. */
function known<T, R = T>(value: T | null, read: (value: T) => R = (same) => same as unknown as R): R {
  if (value === null) throw new Error('not known yet');
  return read(value);
}

async function whenAppendable(audit: AuditAppendClient, signal: AbortSignal): Promise<void> {
  while (
    !(await audit.treeHead().then(
      () => true,
      () => false,
    ))
  ) {
    await sleep(AUDIT_RETRY_MS, undefined, { signal });
  }
}
