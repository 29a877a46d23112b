/**
 * The whole node, top to bottom in the order of the data flow. What one service needs of another it declares itself; here the
 * objects meet. Started in this order, stopped in reverse. Only wire files import services: this one for a single process, and
 * wire/<role>.ts, which wires the same functions with sockets where this one has direct calls.
 */
import { join } from 'node:path';
import { parseVerifierKey } from '../protocol/merkle/verifier-key.ts';
import { readAnchoredHeads } from './anchor/index.ts';
import { createAudit } from './audit/index.ts';
import { createCodingThread } from './coding/index.ts';
import { homePaths, readDescriptor, readPublicIdentity } from './config/index.ts';
import { createHealthServer, startIfPossible } from './crossing/health/health-server.ts';
import { healthSocketPath } from './crossing/socket.ts';
import { createCustody } from './custody/index.ts';
import {
  createGateway,
  createGatewayRenewal,
  createMetricsServer,
  createTokens,
  issueByCa,
  recordedTokens,
} from './gateway/index.ts';
import {
  createBackupKeys,
  createIdentitySigner,
  createKeyFreshness,
  createKeys,
  nodeEnvelopeCrypto,
  runTool,
} from './keys/index.ts';
import { membershipOf } from './membership/index.ts';
import { createStatus } from './status/index.ts';
import { createStore } from './store/index.ts';
import { createNodeMetrics, readFamilies } from './telemetry/index.ts';
import { startedEmpty } from './volume-marks.ts';
import { wirePublicSide } from './wire/public-side.ts';
import { whenSound } from './wire/when-sound.ts';
import { type AllOptions, credentials, type NodeDeps, now, randomBytes, today, type Wiring } from './wiring.ts';

/** `run all`: a clinic's node. It follows the chain and serves its owner; it orders nothing. */
export async function wireNode(options: AllOptions, { log, logLevels, metrics }: NodeDeps): Promise<Wiring> {
  const { home, version, config, sockets } = options;
  const identity = readPublicIdentity(home);
  const paths = homePaths(home);
  const { descriptor } = readDescriptor(home);
  const { nodeId, peerId, tokenJwk } = identity;
  const crypto = nodeEnvelopeCrypto;

  // The secret boundary. Everything below gets derived keys, wrapped DEKs and signatures of it, never the root key.
  const keys = createKeys(
    { ...config.keys, home: paths.keys },
    { crypto, log, metrics, now: today, randomBytes, run: runTool, credentials: credentials() },
  );
  const checkpointKey = parseVerifierKey(identity.checkpointVkey);
  const signer = { ...createIdentitySigner(keys, 'checkpoint'), publicKey: checkpointKey.publicKey };
  // Evidence first: nothing private is served that the log does not hold.
  const audit = createAudit(
    {
      folder: paths.audit,
      origin: checkpointKey.name,
      config: config.audit,
      chainWaitMs: config.audit.chainWaitMs,
      keptOutside: () => readAnchoredHeads(paths.anchor),
    },
    { keys, signer, log, metrics, now, randomBytes },
  );
  const keyFreshness = createKeyFreshness({ keys, evidence: audit, log });
  const tokens = await createTokens(
    { path: paths.tokens, nodeId, publicJwk: tokenJwk },
    { signer: createIdentitySigner(keys, 'token'), now, randomBytes, log: audit },
  );
  const store = createStore(
    { ...config.store, home: paths.storeParent, nodeId },
    {
      crypto,
      keys,
      settleIndex: keyFreshness.settleIndex,
      audit,
      evidence: audit,
      replicas: { fetch: (root, cid, holders, signal) => p2p.fetch(root, cid, holders, signal) },
      coding: createCodingThread(),
      signer,
      log,
      metrics,
      now: today,
      randomBytes,
    },
  );

  // The public state, rebuilt from L1, and what leaves the machine: ciphertext, salted roots and checkpoints.
  const { rollup, p2p, replication, anchor, membership, keepMembership, auditorDesk, witness, auditHeads } =
    wirePublicSide(
      { home, version, config, identity },
      {
        secrets: {
          databaseKey: () => keys.derive('rollup-db'),
          operatorKey: () => keys.openIdentity('operator'),
          identitySeed: () => keys.openIdentity('p2p'),
        },
        store,
        audit,
      },
      { log, metrics },
    );
  const custody = createCustody({ folder: paths.custody, config: config.custody }, { metrics, now });
  const view = createStatus(
    { nodeId, peerId, network: descriptor.name, version, roles: ['gateway', 'store', 'audit', 'rollup'] },
    {
      services: [keys, audit, keyFreshness, store, rollup, p2p, replication, anchor],
      isLocked: () => keys.state() === 'locked',
      heads: rollup.heads,
      peers: () => p2p.peers().length,
      membership: () => membership.standing(),
      records: () => store.stats().records,
      audit: () => audit.standing(),
      anchored: () => anchor.anchored(),
      anchoredRecords: () => store.stats().anchored,
      assertions: () => rollup.assertions(),
      l1: () => rollup.l1(),
      witness: () => ({ splitLogs: witness.splitLogs(), recalled: witness.recalled() }),
      storage: () => store.condition(),
      tokens: () => tokens.reconciled(),
      hardening: () => gateway.hardening(),
      backups: () => gateway.backups(),
      custody: custody.standing,
      logLevels: logLevels.read,
      clientRevocations: () => gateway.clientRevocations(),
      now,
    },
  );

  // The owner's door. It starts before the rest, so that a locked node can say that it is locked, and be unlocked.
  const nodeMetrics = createNodeMetrics([{ role: 'all', read: () => readFamilies(metrics) }]);
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
      backups: createBackupKeys({ nodeId }, { keys, signer, crypto }),
      audit,
      store,
      custody,
      rollup: {
        rpc: rollup.rpc,
        subscribe: rollup.subscribe,
        withdraw: rollup.withdraw,
        withdrawals: rollup.withdrawals,
        claim: rollup.claim,
        stakeStatus: rollup.stakeStatus,
        setStaking: rollup.setStaking,
        snapshot: rollup.snapshot,
        rewind: ({ to }) => rollup.rewind(to === undefined ? undefined : BigInt(to)),
      },
      p2p,
      anchor: { anchors: auditHeads },
      node: {
        readiness: view.readiness,
        status: view.status,
        network: async () => ({
          network: descriptor.name,
          l1ChainId: Number(descriptor.l1.chainId),
          l2ChainId: Number(descriptor.l2.chainId),
          genesisHash: descriptor.l2.genesisHash,
          peerId,
          addresses: p2p.addresses(),
          operator: identity.operator,
          ...(await membershipOf(membership)),
        }),
        join: () => membership.join(),
        leave: () => membership.leave(),
        appeal: (of) => membership.appeal(of),
      },
      auditor: {
        queue: async () => {
          const { due, ...rest } = await auditorDesk.queue();
          return { ...rest, due: [...due] };
        },
        decide: auditorDesk.decide,
      },
      tokens,
      log,
      metrics,
      nodeMetrics,
      logLevels,
      now,
      randomBytes,
    },
  );
  const metricsServer = createMetricsServer(config.gateway, { metrics: nodeMetrics, log });
  // A node that nobody restarts for a year stays reachable.
  const renewal = createGatewayRenewal(
    {
      certificatePath: paths.certificate,
      keyPath: paths.certificateKey,
      clientTokenPath: join(home, 'client', 'token'),
    },
    {
      issue: issueByCa({ nodeId, caPath: join(home, 'tls', 'ca.crt'), openCaKey: () => keys.openIdentity('tls-ca') }),
      reload: () => gateway.reloadCertificate(),
      tokens: recordedTokens(tokens, audit),
      log,
      now,
    },
  );

  const report = async (type: 'node.start' | 'node.stop'): Promise<void> => {
    const context = { actor: { subject: 'system:node' }, requestId: `${type}/${now()}` };
    await audit.append({ type, outcome: 'success', context, detail: { version, ...startedEmpty(home) } });
  };
  const alive = [keys, gateway, metricsServer];
  const health = createHealthServer(healthSocketPath(sockets, 'all'), alive, { status: view.status, access: 'owner' });
  return {
    alive: [...alive, startIfPossible(health, log)],
    usable: [
      ...[audit, whenSound(audit), keyFreshness, store, rollup, p2p, replication, anchor, witness, keepMembership],
      renewal,
    ],
    url: () => gateway.url(),
    whenUsable: (signal) => keys.whenUnlocked(signal),
    onStarted: () => report('node.start'),
    onStopping: async () => {
      if (audit.readiness().ready) await report('node.stop');
    },
  };
}
