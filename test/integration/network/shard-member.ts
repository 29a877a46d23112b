import type { CodingThread } from '../../../appliance/coding/index.ts';
import { createReplication, type Replication } from '../../../appliance/replication/index.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import { type RegistryDouble, startNode, type TestNode } from '../../unit/appliance/p2p/hosts.ts';
import { createFixture, type Fixture } from '../../unit/appliance/store/store-fixture.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** What all members of a test share: the registry alone is a double. */
interface World {
  readonly registry: RegistryDouble;
  readonly coding: CodingThread;
}

/** Store, libp2p host and replication as a node has them. */
export class Member {
  fixture!: Fixture;
  readonly #seed: number;
  readonly #world: World;
  node!: TestNode;
  replication!: Replication;

  constructor(seed: number, world: World) {
    this.#seed = seed;
    this.#world = world;
  }

  async start(): Promise<void> {
    this.fixture = await createFixture({
      ...{ replicas: 2, heldMaxBytes: 256 * MIB, heldPerOwnerMaxBytes: 256 * MIB, coding: this.#world.coding },
      replicas_: { fetch: (root, cid, holders, stop) => this.node.p2p.fetch(root, cid, holders, stop) },
    });
    await this.connect();
  }

  async connect(): Promise<void> {
    const { store } = this.fixture;
    const { registry } = this.#world;
    this.node = await startNode({
      ...{ seed: this.#seed, registry, store },
      // A loaded machine takes long for a shard, and nothing here waits for one that is silent.
      options: { maxConnections: 32, maxOutbound: 16, streamTimeoutMs: 30_000, maxExchangeMs: 60_000 },
      onFalseBlock: (found) => void store.holderAnswered({ ...found, outcome: 'false' }),
    });
    const { p2p, peerId } = this.node;
    this.replication = createReplication(
      {
        ...{ intervalMs: 10, retryMs: 0, batch: 16, parallel: 4, releaseRetryMaxMs: 100, tidyIntervalMs: 100 },
        ...{ checkIntervalMs: HOUR_MS, checks: 4, offerIntervalMs: 100, auditIntervalMs: HOUR_MS },
      },
      {
        store,
        replicate: p2p.replicate,
        prove: p2p.prove,
        release: p2p.release,
        bring: p2p.bring,
        askShards: p2p.askShards,
        registered: () => registry.members(),
        self: () => peerId,
        held: store.held,
        isMember: (peer) => registry.isAuthorized(peer),
        isCurrent: () => true,
        members: p2p.members,
        draw: () => 0,
        log: createLogger({ level: 'silent' }),
        metrics: createMetrics(),
        now: Date.now,
      },
    );
  }

  disconnect = (): Promise<void> => this.node.p2p.stop();
}
