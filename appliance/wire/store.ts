import { createCodingThread } from '../coding/index.ts';
import { homePaths } from '../config/index.ts';
import { createAuditAppendClient } from '../crossing/audit-append/client.ts';
import { createAuditKeysClient } from '../crossing/audit-keys/client.ts';
import { createKeyHandover } from '../crossing/audit-keys/key-handover.ts';
import { blocksRoutes } from '../crossing/blocks/server.ts';
import { createWantedBlocks } from '../crossing/blocks/wanted-blocks.ts';
import { custodyRoutes } from '../crossing/custody/server.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { storeIntroductionRoutes } from '../crossing/introduction.ts';
import { logLevelsRoutes } from '../crossing/log-levels/server.ts';
import { metricsRoutes } from '../crossing/metrics/server.ts';
import { shelfRoutes } from '../crossing/shelf/server.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import { storeRoutes } from '../crossing/store/server.ts';
import { createCustody } from '../custody/index.ts';
import {
  createBackupKeys,
  createIdentitySigner,
  createKeyFreshness,
  createKeys,
  nodeEnvelopeCrypto,
} from '../keys/index.ts';
import { createShelf } from '../shelf/index.ts';
import { createStore } from '../store/index.ts';
import { startedEmpty } from '../volume-marks.ts';
import { now, type RoleDeps, type RoleOptions, randomBytes, today, type Wiring } from '../wiring.ts';
import { carrierOf } from './carrier-of.ts';
import { createLogVolume } from './log-volume.ts';
import { reportLife } from './report-life.ts';
import { introducing, storeIdentity, storeIntroductionOf } from './store-identity.ts';

/** `run store`: the keys and what they seal. It reaches the audit log, over its crossings, and nothing else. */
export async function wireStore(options: RoleOptions, deps: RoleDeps): Promise<Wiring> {
  const { log, levels, metrics } = deps;
  const { home, version, config, sockets, crossings } = options;
  const identity = await storeIdentity(options, deps);
  const { nodeId } = identity;
  const paths = homePaths(home);
  const crypto = nodeEnvelopeCrypto;
  const carrier = carrierOf('store', options, deps);

  // The secret boundary. Its seccomp profile starts no programs: providers that need one are for a node as a process.
  const keys = createKeys({ ...config.keys, home: paths.keys }, { crypto, log, metrics, now: today, randomBytes });

  // Evidence first: nothing private is served that the log does not hold.
  const audit = createAuditAppendClient(carrier.connect('audit-append'));
  const atKeys = carrier.connect('audit-keys');
  const auditKeys = createAuditKeysClient(atKeys);
  const volume = createLogVolume({ folder: paths.keys, accepted: options.firstStart.startEmpty, now });
  const handover = createKeyHandover({
    keys,
    audit: crossings.carrier === 'tls' ? introducing(atKeys, identity, { audit: auditKeys, volume }) : auditKeys,
    log,
  });
  const keyFreshness = createKeyFreshness({ keys, evidence: audit, log });

  const signer = createIdentitySigner(keys, 'checkpoint');
  const backups = createBackupKeys({ nodeId }, { keys, signer, crypto });
  const wants = createWantedBlocks();
  const store = createStore(
    { ...config.store, home: paths.storeParent, nodeId },
    {
      crypto,
      keys,
      settleIndex: keyFreshness.settleIndex,
      audit,
      evidence: { latest: () => audit.latest(), records: auditKeys.records },
      replicas: wants,
      coding: createCodingThread(),
      signer,
      log,
      metrics,
      now: today,
      randomBytes,
    },
  );

  const custody = createCustody({ folder: paths.custody, config: config.custody }, { metrics, now });

  const services = [keys, handover, keyFreshness, store];
  const tokenSigner = createIdentitySigner(keys, 'token');
  const introduction = storeIntroductionOf(identity);
  const served = carrier.serve({
    store: [
      ...storeRoutes({ store, keys, tokenSigner, backups, services }),
      ...custodyRoutes(custody),
      ...storeIntroductionRoutes(introduction, 'gateway'),
      ...shelfRoutes(createShelf({ folder: paths.shelf })),
      ...metricsRoutes(metrics),
      ...logLevelsRoutes(levels),
    ],
    blocks: [...storeIntroductionRoutes(introduction, 'rollup'), ...blocksRoutes({ store, keys, wants })],
  });
  // What is known of a loss by the time that it is told.
  const life = () => ({ role: 'store', version, ...startedEmpty(home), ...volume.startedEmpty() }) as const;
  return {
    alive: [
      ...carrier.credentials,
      keys,
      ...served,
      createHealthServer(healthSocketPath(sockets, 'store'), [...carrier.credentials, ...services]),
    ],
    usable: [handover, keyFreshness, store],
    url: () => undefined,
    whenUsable: (signal) => keys.whenUnlocked(signal),
    onStarted: () => reportLife('node.start', life(), { audit, log }),
    async onStopping() {
      if (handover.readiness().ready) await reportLife('node.stop', life(), { audit, log });
    },
  };
}
