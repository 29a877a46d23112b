import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { MAX_EXCHANGES_PER_PEER } from '../../protocol/network/block-exchange.ts';
import type { Readiness } from '../service.ts';
import { MAX_BATCHES_PER_PEER } from './batch-exchange.ts';
import { MAX_CHALLENGES_PER_PEER } from './challenge-exchange.ts';
import type { FrameStream } from './frame-stream.ts';
import { joinGossip } from './gossip.ts';
import type { P2p, PeerInfo } from './interfaces.ts';
import { createP2pMetrics, type P2pMetrics } from './metrics.ts';
import type { P2pDeps, P2pOptions } from './needs.ts';
import { createParts, type P2pParts } from './parts.ts';
import { isPrivateAddress, MAX_ADDRESSES } from './peer-address.ts';
import { MAX_PROOFS_PER_PEER } from './proof-exchange.ts';
import { MAX_RELEASES_PER_PEER } from './release-exchange.ts';
import { MAX_SHARD_QUESTIONS_PER_PEER } from './shard-exchange.ts';
import { MAX_WITNESSES_PER_PEER } from './witness-exchange.ts';

/** A peer opens so many ranges at a time. */
const MAX_RANGES_PER_PEER = 2;

export function createP2p(options: P2pOptions, deps: P2pDeps): P2p {
  return new Libp2pNode(options, { ...deps, log: deps.log.child({ service: 'p2p' }) });
}

/** What exists between start and stop. */
interface Running extends P2pParts {
  readonly abort: AbortController;
  readonly leave: (() => void)[];
  readonly loops: Promise<void>[];
}

class Libp2pNode implements P2p {
  readonly name = 'p2p';
  readonly #options: P2pOptions;
  readonly #deps: P2pDeps;
  readonly #metrics: P2pMetrics;
  #running: Running | undefined;
  #wake: () => void = () => {};
  #recheck: Promise<void> | undefined;
  #recheckAgain = false;

  constructor(options: P2pOptions, deps: P2pDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = createP2pMetrics(deps.metrics);
  }

  async start(signal: AbortSignal): Promise<void> {
    const parts = await createParts(this.#options, this.#deps, this.#metrics);
    const abort = new AbortController();
    const running: Running = { ...parts, abort, leave: [], loops: [] };
    const { host } = running;
    signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true });
    await this.#serve(running);
    this.#watch(running);
    try {
      await host.start();
    } catch (cause) {
      await host.stop();
      const address = `${this.#options.listenHost}:${this.#options.listenPort}`;
      throw new NectarError('NETWORK_LISTEN_REFUSED', { address }, { cause });
    }
    this.#running = running;
    this.#follow(running);
    this.#deps.log.info({ peerId: running.self, addresses: this.addresses() }, 'listening for peers');
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.abort.abort();
    this.#wake();
    for (const leave of running.leave) leave();
    await Promise.allSettled(running.loops);
    await this.#recheck;
    await running.host.stop();
  }

  readiness(): Readiness {
    return this.#running === undefined ? { ready: false, reason: 'not started' } : { ready: true };
  }

  peerId(): PeerIdText {
    return this.#get().self;
  }

  addresses(): string[] {
    const all = this.#get().host.getMultiaddrs().map(String);
    // Nobody outside could dial the others, and a registry that everybody reads need not show how a clinic numbers its LAN.
    const told = all.filter((address) => this.#options.allowPrivateAddresses || !isPrivateAddress(address));
    return told.slice(0, MAX_ADDRESSES);
  }

  peers(): PeerInfo[] {
    const peers = new Map<string, PeerInfo>();
    for (const connection of this.#get().host.getConnections()) {
      const peerId = connection.remotePeer.toString() as PeerIdText;
      const since = new Date(connection.timeline.open).toISOString();
      if (peers.has(peerId)) continue;
      peers.set(peerId, { peerId, address: connection.remoteAddr.toString(), direction: connection.direction, since });
    }
    return [...peers.values()];
  }

  isMember(): boolean {
    return this.#running?.dialer.isMember() ?? false;
  }

  replicate: P2p['replicate'] = async (...input) => await this.#get().client.replicate(...input);
  prove: P2p['prove'] = async (...input) => await this.#get().client.prove(...input);
  fetch: P2p['fetch'] = async (...input) => await this.#get().client.fetch(...input);
  release: P2p['release'] = async (...input) => await this.#get().release(...input);

  bring: P2p['bring'] = async (...input) => await this.#get().client.bring(...input);
  askShards: P2p['askShards'] = async (...input) => await this.#get().askShards(...input);

  members: P2p['members'] = async () => await this.#get().members();
  askBatch: P2p['askBatch'] = async (...input) => await this.#get().askBatch(...input);
  askChallenge: P2p['askChallenge'] = async (...input) => await this.#get().askChallenge(...input);
  askWitness: P2p['askWitness'] = async (...input) => await this.#get().askWitness(...input);

  /** One check at a time; heads that come meanwhile cause one more, so that the last head is always judged. */
  async recheck(): Promise<void> {
    this.#recheckAgain = true;
    this.#recheck ??= this.#recheckAll().finally(() => {
      this.#recheck = undefined;
    });
    await this.#recheck;
  }

  async #recheckAll(): Promise<void> {
    while (this.#recheckAgain && this.#running !== undefined) {
      this.#recheckAgain = false;
      this.#running.admission.forget();
      const running = this.#running;
      await Promise.all(running.host.getPeers().map((peer) => this.#dropUnauthorized(running, peer.toString())));
    }
  }

  /** A registry that gives no answer drops nobody: the next head asks again. New connections it does refuse. */
  async #dropUnauthorized(running: Running, peerId: string): Promise<void> {
    const standing = await running.admission.standing(peerId);
    if (standing === 'admitted' || standing === 'registry-unavailable' || running.admission.isLent(peerId)) return;
    this.#metrics.dropped.inc();
    this.#deps.log.info({ peerId, reason: standing }, 'peer dropped');
    for (const connection of running.host.getConnections(peerIdFromString(peerId))) {
      connection.abort(new Error('no longer authorized'));
    }
  }

  /** Handlers before the host listens: no peer finds a protocol missing. */
  async #serve(running: Running): Promise<void> {
    const { host, names, sync, frames, server, proofs, releases, witness, batches, challenges, shards, abort } =
      running;
    await host.handle(
      names.unsafeRange,
      (stream, connection) => sync.serve(frames.range(stream, abort.signal), remotePeer(connection)),
      { maxInboundStreams: MAX_RANGES_PER_PEER },
    );
    const serve = async (
      name: string,
      of: { server: ((frames: FrameStream, peer: PeerIdText) => Promise<void>) | undefined; max: number },
      open: (stream: Stream, signal: AbortSignal) => FrameStream,
    ): Promise<void> => {
      const { server: answer, max: maxInboundStreams } = of;
      if (answer === undefined) return;
      const onStream = (stream: Stream, connection: Connection): Promise<void> =>
        answer(open(stream, abort.signal), remotePeer(connection));
      await host.handle(name, onStream, { maxInboundStreams });
    };
    await serve(names.witness, { server: witness, max: MAX_WITNESSES_PER_PEER }, frames.witness);
    await serve(names.batches, { server: batches, max: MAX_BATCHES_PER_PEER }, frames.batch);
    await serve(names.challenges, { server: challenges, max: MAX_CHALLENGES_PER_PEER }, frames.challenge);
    await serve(names.proofs, { server: proofs, max: MAX_PROOFS_PER_PEER }, frames.proof);
    await serve(names.releases, { server: releases, max: MAX_RELEASES_PER_PEER }, frames.release);
    await serve(names.shards, { server: shards, max: MAX_SHARD_QUESTIONS_PER_PEER }, frames.shard);
    await serve(names.blockExchange, { server, max: MAX_EXCHANGES_PER_PEER }, frames.exchange);
  }

  #watch(running: Running): void {
    const { host, dialer, sync } = running;
    const count = (): void => this.#count(running);
    host.addEventListener('connection:open', ({ detail }) => {
      count();
      // A head may have moved between the gater's answer and now: judged once more, now that recheck sees the peer.
      void this.#dropUnauthorized(running, detail.remotePeer.toString());
    });
    host.addEventListener('connection:close', count);
    host.addEventListener('peer:disconnect', ({ detail }) => dialer.lost(detail.toString()));
    // Identify says that the peer speaks the protocol: the moment to ask it what it knows.
    host.addEventListener('peer:identify', ({ detail }) => {
      if (detail.protocols.includes(running.names.unsafeRange)) sync.request(detail.peerId.toString() as PeerIdText);
    });
  }

  /** Everything that runs by itself from now on. */
  #follow(running: Running): void {
    const { host, abort, leave, loops, sync } = running;
    leave.push(
      joinGossip(running.names.blocksTopic, {
        gossip: host.services.gossip,
        unsafe: this.#deps.unsafe,
        onGap: (peerId) => sync.request(peerId as PeerIdText),
        log: this.#deps.log,
        metrics: this.#metrics,
      }),
      this.#deps.onHead(() => this.#headMoved()),
    );
    loops.push(this.#dialLoop(running), this.#catchUpLoop(running), sync.run(abort.signal));
  }

  async catchUp(signal: AbortSignal): Promise<number> {
    const { host, sync } = this.#get();
    let answered = 0;
    for (const peer of host.getPeers()) if (await sync.ask(peer.toString() as PeerIdText, signal)) answered += 1;
    return answered;
  }

  #headMoved(): void {
    void this.recheck();
    // Waiting to be admitted: this head may be the one.
    if (!this.isMember()) this.#wake();
  }

  #count({ host }: Running): void {
    const connections = host.getConnections();
    for (const direction of ['inbound', 'outbound'] as const) {
      this.#metrics.connections.set({ direction }, connections.filter((each) => each.direction === direction).length);
    }
  }

  /** A look does not wait for the dials of the one before: addresses that do not answer keep them for seconds. */
  async #dialLoop({ dialer, abort }: Running): Promise<void> {
    const dials = new Set<Promise<void>>();
    while (!abort.signal.aborted) {
      const pause = new AbortController();
      this.#wake = () => pause.abort();
      const look = dialer.tick(abort.signal).finally(() => dials.delete(look));
      dials.add(look);
      const signal = AbortSignal.any([abort.signal, pause.signal]);
      await sleep(this.#options.dialIntervalMs, undefined, { signal }).catch(() => {});
    }
    await Promise.all(dials);
  }

  /** Gossip may lose the last block before a pause: now and then each peer in turn is asked what follows our head. */
  async #catchUpLoop({ host, sync, abort }: Running): Promise<void> {
    for (let turn = 0; !abort.signal.aborted; turn += 1) {
      await sleep(this.#options.catchUpIntervalMs, undefined, { signal: abort.signal }).catch(() => {});
      const peers = host.getPeers();
      const peer = peers[turn % Math.max(1, peers.length)];
      if (peer !== undefined && !abort.signal.aborted) sync.request(peer.toString() as PeerIdText);
    }
  }

  #get(): Running {
    if (this.#running === undefined) throw new NectarError('NODE_NOT_READY', { service: 'p2p', reason: 'not started' });
    return this.#running;
  }
}

function remotePeer(connection: Connection): PeerIdText {
  return connection.remotePeer.toString() as PeerIdText;
}
