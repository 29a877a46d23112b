import { randomInt } from 'node:crypto';
import type { PeerIdText } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { parseVerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { type AuditHead, createAnchor, ethCall } from '../anchor/index.ts';
import type { AuditAnchor } from '../audit/index.ts';
import { homePaths, type PublicIdentity, readDescriptor } from '../config/index.ts';
import {
  type AuditorDesk,
  createAuditorDesk,
  createKeepMembership,
  createMembership,
  type Membership,
} from '../membership/index.ts';
import { createP2p, type P2p } from '../p2p/index.ts';
import { createReplication } from '../replication/index.ts';
import { createRollup, type Rollup, type RollupDeps } from '../rollup/index.ts';
import type { Store } from '../store/index.ts';
import { type NodeOptions, now, randomBytes, type WireDeps } from '../wiring.ts';
import { createWitness, type Witness, type WitnessedLog } from '../witness/index.ts';
import { rollupPeers, servedToPeers } from './rollup-peers.ts';
import { unsafeBlocks } from './unsafe-blocks.ts';

type CrossedStore =
  | 'underReplicated'
  | 'markReplicated'
  | 'holderQuestions'
  | 'holderAnswered'
  | 'pendingReleases'
  | 'released'
  | 'shardHolders'
  | 'shardWork'
  | 'shardBrought'
  | 'shardAudits'
  | 'shardAudited'
  | 'unanchored'
  | 'markAnchored';

/** What the public side needs of the private one: its own secrets, ciphertext, commitments and checkpoints; nothing else. */
export interface PrivateSide {
  readonly secrets: Record<'databaseKey' | 'operatorKey' | 'identitySeed', () => Promise<Uint8Array> | Uint8Array>;
  readonly store: Pick<Store, CrossedStore> & {
    readonly blocks: Pick<Store['blocks'], 'get'>;
    readonly held: Omit<Store['held'], 'bytes'>;
    readonly shards: Store['shards'];
  };
  readonly audit: AuditHead & Omit<WitnessedLog, 'publicKey'> & { readonly append: NonNullable<RollupDeps['record']> };
}

export interface PublicSideOptions extends NodeOptions {
  readonly identity: PublicIdentity;
}

export interface PublicSide {
  readonly rollup: Rollup;
  readonly p2p: P2p;
  readonly replication: ReturnType<typeof createReplication>;
  readonly anchor: ReturnType<typeof createAnchor>;
  readonly membership: Membership;
  readonly auditorDesk: AuditorDesk;
  readonly keepMembership: ReturnType<typeof createKeepMembership>;
  readonly witness: Witness;
  /** Heads of the audit log that others keep: the chain's, and those that members cosigned. */
  auditHeads(): Promise<AuditAnchor[]>;
}

/** The same services, wired the same, whether their node is one process or four. */
export function wirePublicSide(options: PublicSideOptions, of: PrivateSide, deps: WireDeps): PublicSide {
  const cosign = { answer: (peerId: PeerIdText, request: Uint8Array) => witness.answer(peerId, request) };
  const followed = followNetwork(options, { ...of, cosign }, deps);
  const witness = wireWitness(options, { ...of, ...followed }, deps);
  const reached = reachOut(options, { ...of, ...followed }, deps);
  const auditHeads = async (): Promise<AuditAnchor[]> => {
    const anchored = await reached.anchor.auditAnchors().catch((error: unknown) => {
      if (isNectarError(error, 'NODE_NOT_READY')) return [];
      throw error;
    });
    return [...anchored, ...(await witness.heads())];
  };
  return { ...followed, ...reached, witness, auditHeads };
}

/** The public state, rebuilt from L1, and the peers. */
function followNetwork(
  { home, version, config }: NodeOptions,
  { secrets, store, audit, cosign }: PrivateSide & { readonly cosign: Pick<Witness, 'answer'> },
  { log, metrics }: WireDeps,
): Pick<PublicSide, 'rollup' | 'p2p'> {
  const { descriptor } = readDescriptor(home);
  const rollup = createRollup(
    {
      config: config.rollup,
      descriptor,
      databasePath: homePaths(home).rollupDatabase,
      snapshotPath: homePaths(home).rollupSnapshot,
      durable: false,
      clientVersion: `nectar-byon/${version}`,
    },
    {
      secrets,
      log: log.child({ service: 'rollup' }),
      metrics,
      now,
      randomBytes,
      record: (event) => audit.append(event),
      ...rollupPeers(() => p2p),
    },
  );
  const p2p: P2p = createP2p(
    {
      ...config.p2p,
      l2ChainId: BigInt(descriptor.l2.chainId),
      bootstrap: descriptor.bootstrap,
      replicas: config.store.replicas,
    },
    {
      identitySeed: async () => secrets.identitySeed(),
      registry: rollup.registry,
      unsafe: unsafeBlocks(rollup),
      onHead: rollup.onHead,
      blocks: store.blocks,
      held: store.held,
      shards: store.shards,
      onFalseBlock: (found) =>
        void store
          .holderAnswered({ ...found, outcome: 'false' })
          .catch((error: unknown) => log.warn({ err: error }, 'false bytes of a holder are not in the audit log')),
      witness: cosign,
      ...servedToPeers(rollup, config.rollup),
      log,
      metrics,
      now,
    },
  );
  return { rollup, p2p };
}

/** Checkpoints cosigned by members, and theirs by this node. */
function wireWitness(
  { home, config, identity }: PublicSideOptions,
  { secrets, audit, rollup, p2p }: PrivateSide & Pick<PublicSide, 'rollup' | 'p2p'>,
  { log, metrics }: WireDeps,
): Witness {
  const { publicKey } = parseVerifierKey(identity.checkpointVkey);
  return createWitness(
    { ...config.witness, folder: homePaths(home).witness },
    {
      audit: {
        publicKey,
        treeHead: () => audit.treeHead(),
        consistency: (from) => audit.consistency(from),
        witnessed: async (head) => audit.witnessed?.(head),
      },
      identitySeed: async () => secrets.identitySeed(),
      members: () => p2p.members(),
      // A registry that gives no answer makes nobody a member.
      isMember: (peerId) => rollup.registry.isAuthorized(peerId).catch(() => false),
      ask: (peerId, request, signal) => p2p.askWitness(peerId, request, signal),
      log,
      metrics,
      now,
    },
  );
}

/** What leaves the machine: ciphertext to holders, salted roots and checkpoints to the chain, and the node's application. */
function reachOut(
  { home, config, identity }: PublicSideOptions,
  { secrets, rollup, p2p, store, audit }: PrivateSide & Pick<PublicSide, 'rollup' | 'p2p'>,
  { log, metrics }: WireDeps,
): Pick<PublicSide, 'replication' | 'anchor' | 'membership' | 'keepMembership' | 'auditorDesk'> {
  const peerId = identity.peerId as PeerIdText;
  const replication = createReplication(config.replication, {
    store,
    replicate: (root, blocks, signal, placed) => p2p.replicate(root, blocks, signal, placed),
    prove: (question, signal) => p2p.prove(question, signal),
    release: (holder, roots, signal) => p2p.release(holder, roots, signal),
    bring: (holder, root, blocks, signal) => p2p.bring(holder, root, blocks, signal),
    askShards: (holder, question, signal) => p2p.askShards(holder, question, signal),
    registered: () => rollup.registry.members(),
    self: () => peerId,
    held: store.held,
    isMember: (peer) => rollup.registry.isAuthorized(peer),
    isCurrent: () => rollup.readiness().ready,
    members: () => p2p.members(),
    log,
    metrics,
    now,
    draw: (limit) => (limit > 0 ? randomInt(limit) : 0),
  });
  const anchor = createAnchor(
    { ...config.anchor, folder: homePaths(home).anchor },
    {
      records: store,
      audit,
      chain: {
        address: () => rollup.account.address(),
        balance: () => rollup.account.balance(),
        send: (tx) => rollup.account.send(tx),
        call: ethCall((body) => rollup.rpc(body)),
        safeBlock: () => rollup.heads().safe.number,
        isCurrent: () => rollup.readiness().ready,
      },
      isAuthorized: (peer) => rollup.registry.isAuthorized(peer),
      isAnnounced: (peer) => rollup.announced.isAuthorized(peer),
      peerId: () => peerId,
      log,
      metrics,
      now,
    },
  );
  const membership = createMembership({
    l2ChainId: BigInt(readDescriptor(home).descriptor.l2.chainId),
    peerId: () => peerId,
    identitySeed: async () => secrets.identitySeed(),
    addresses: () => p2p.addresses(),
    registry: rollup.registry,
    announced: rollup.announced,
    account: rollup.account,
    call: ethCall((body) => rollup.rpc(body)),
    now,
  });
  const keepMembership = createKeepMembership({
    membership,
    isCurrent: () => rollup.readiness().ready,
    addresses: () => p2p.addresses(),
    log,
    metrics,
    now,
  });
  const auditorDesk = createAuditorDesk({
    registry: rollup.announced,
    account: rollup.account,
    call: ethCall((body) => rollup.rpc(body)),
    rpc: (body) => rollup.rpc(body),
    now,
  });
  return { replication, anchor, membership, keepMembership, auditorDesk };
}
