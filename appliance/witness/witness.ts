import { setTimeout as sleep } from 'node:timers/promises';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { PeerIdText, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { witnessKeyOf } from '../../protocol/merkle/witness-key.ts';
import { peerIdOf } from '../../protocol/network/node-identity.ts';
import { encodeWitnessAnswer, isWitnessRecall, type WitnessAnswer } from '../../protocol/network/witness-exchange.ts';
import type { Readiness, Service } from '../service.ts';
import { type Asked, askWitness } from './ask-witness.ts';
import { addCosignatures, type CosignedCheckpoint, createCosignedFile, verifyCosigned } from './cosigned-checkpoint.ts';
import { type Cosigner, createCosigner } from './cosigner.ts';
import { createWitnessMetrics } from './metrics.ts';
import type { WitnessDeps, WitnessOptions } from './needs.ts';
import { createRecall, type Recall, type RecallState } from './recall.ts';
import { createRecalledFile } from './recalled-file.ts';
import { createSeenLogs, type SeenLogs } from './seen-logs.ts';

/** A head of our log that a member has. */
export interface CosignedHead {
  readonly size: number;
  readonly root: RootHash;
  readonly where: string;
  /** Milliseconds. */
  readonly at: number;
}

export interface Witness extends Service {
  /** Judges a request of a member; the answer, encoded. */
  answer(peerId: PeerIdText, request: Uint8Array): Promise<Uint8Array>;
  /** Our newest cosigned checkpoint, once for each member whose cosignature verifies: what `audit verify` compares with. */
  heads(): Promise<CosignedHead[]>;
  /** Members of whose logs this node keeps two stories, both signed. Evidence against them, no fault of this node. */
  splitLogs(): readonly PeerIdText[];
  /** What members were asked of the log before its newest declared epoch; null without one, and before the first look. */
  recalled(): RecallState | null;
  /** Asks members for what is due; resolves with the number of cosignatures. Runs by itself. Never throws. */
  tick(signal: AbortSignal): Promise<number>;
}

/** Cosigning between members: none of them alone can show two stories to two of the others (C2SP tlog-witness). */
export function createWitness(options: WitnessOptions, deps: WitnessDeps): Witness {
  return new MemberWitness(options, { ...deps, log: deps.log.child({ service: 'witness' }) });
}

class MemberWitness implements Witness {
  readonly name = 'witness';
  readonly #options: WitnessOptions;
  readonly #deps: WitnessDeps;
  readonly #metrics: ReturnType<typeof createWitnessMetrics>;
  readonly #file: ReturnType<typeof createCosignedFile>;
  readonly #abort = new AbortController();
  /** Size of the checkpoint that a member has, as far as we know. */
  readonly #known = new Map<PeerIdText, number>();
  #cosigner: Cosigner | undefined;
  #recall: Recall | undefined;
  #seen: SeenLogs | undefined;
  #self: PeerIdText | undefined;
  #cosignedSize = -1;
  #splitLogs: readonly PeerIdText[] = [];
  #loop: Promise<void> | undefined;

  constructor(options: WitnessOptions, deps: WitnessDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = createWitnessMetrics(deps.metrics);
    this.#file = createCosignedFile(options.folder);
  }

  async start(signal: AbortSignal): Promise<void> {
    const seed = await this.#deps.identitySeed();
    const self = peerIdOf(ed25519.getPublicKey(seed));
    const seen = createSeenLogs(this.#options.folder);
    const look = async (): Promise<void> => {
      this.#splitLogs = await seen.splits();
      this.#metrics.splits.set(this.#splitLogs.length);
    };
    await look();
    this.#self = self;
    this.#seen = seen;
    const recalled = createRecalledFile(this.#options.folder, seed);
    this.#recall = createRecall(recalled, { ...this.#deps, metrics: this.#metrics });
    this.#cosigner = createCosigner({
      seen,
      key: witnessKeyOf(self),
      sign: (message) => ed25519.sign(message, seed),
      log: this.#deps.log,
      onFork: () => void look().catch(() => undefined),
      now: this.#deps.now,
    });
    const until = AbortSignal.any([signal, this.#abort.signal]);
    this.#loop = this.#run(until).finally(() => seed.fill(0));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    this.#cosigner = undefined;
  }

  readiness(): Readiness {
    return this.#cosigner === undefined ? { ready: false, reason: 'not started' } : { ready: true };
  }

  async answer(peerId: PeerIdText, request: Uint8Array): Promise<Uint8Array> {
    const isServed = this.#options.serve && (await this.#deps.isMember(peerId));
    const answer: WitnessAnswer =
      isServed && this.#cosigner !== undefined
        ? isWitnessRecall(request)
          ? await this.#tellKnown(peerId)
          : await this.#cosigner(peerId, request)
        : { type: 'refused', reason: 'stranger' };
    this.#metrics.cosigned.inc({ outcome: answer.type === 'refused' ? answer.reason : answer.type });
    return encodeWitnessAnswer(answer);
  }

  async heads(): Promise<CosignedHead[]> {
    const newest = await this.#newest();
    if (newest === undefined) return [];
    const { size, root, cosignatures } = newest;
    return cosignatures.map(({ witness, timestamp }) => {
      const told = new Date(timestamp * 1_000).toISOString();
      return { size, root, where: `witness ${witness}, ${told}`, at: timestamp * 1_000 };
    });
  }

  splitLogs(): readonly PeerIdText[] {
    return this.#splitLogs;
  }

  recalled(): RecallState | null {
    return this.#recall?.state() ?? null;
  }

  async #tellKnown(peerId: PeerIdText): Promise<WitnessAnswer> {
    try {
      return { type: 'known', notes: ((await this.#seen?.all(peerId)) ?? []).map(({ note }) => note) };
    } catch (error) {
      this.#deps.log.error({ peerId, err: error }, 'what a member asked of its log could not be read');
      return { type: 'refused', reason: 'failed' };
    }
  }

  async tick(signal: AbortSignal): Promise<number> {
    try {
      const members = (await this.#deps.members()).filter((peerId) => peerId !== this.#self).toSorted();
      await this.#recall?.ask(members, signal);
      const { size } = await this.#deps.audit.treeHead();
      // An anchored checkpoint grows the log by nothing; asking grows it by nothing either: no endless talk about itself.
      if (this.#options.peers === 0 || (size <= this.#cosignedSize && (await this.#isKept()))) return 0;
      return await this.#askAll(members, signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.log.debug({ err: error }, 'cosignatures were not requested');
      return 0;
    }
  }

  async #askAll(members: readonly PeerIdText[], signal: AbortSignal): Promise<number> {
    const lines = new Map<string, string[]>();
    for (const peerId of members) {
      if ([...lines.values()].flat().length >= this.#options.peers) break;
      signal.throwIfAborted();
      const asked = await this.#askOne(peerId, signal);
      if (asked?.is === 'cosigned') lines.set(asked.note, [...(lines.get(asked.note) ?? []), asked.line]);
    }
    const [best] = [...lines].toSorted(([, a], [, b]) => b.length - a.length);
    if (best === undefined) return 0;
    const [note, cosignatures] = best;
    await this.#file.write(addCosignatures(note, cosignatures));
    const newest = await this.#newest();
    this.#cosignedSize = newest?.size ?? -1;
    this.#deps.log.info({ size: newest?.size, cosignatures: cosignatures.length }, 'checkpoint cosigned');
    return cosignatures.length;
  }

  /** A member that does not answer, or answers nonsense, is left for the next look. */
  async #askOne(peerId: PeerIdText, signal: AbortSignal): Promise<Asked | undefined> {
    const { audit, ask, log, now } = this.#deps;
    try {
      const asked = await askWitness(peerId, this.#known.get(peerId) ?? 0, { audit, ask, signal });
      this.#metrics.asked.inc({ outcome: asked.is === 'refused' ? asked.reason : asked.is });
      if (asked.is === 'refused') {
        this.#known.delete(peerId);
        return asked;
      }
      if (asked.is === 'cosigned') this.#known.set(peerId, asked.size);
      else log.error({ peerId }, 'a member has a checkpoint of this log that the log contradicts');
      // The log itself decides what a head means that left the machine; it signs and appends nothing that contradicts one.
      await audit.witnessed?.({ note: asked.note, where: `witness ${peerId}`, at: now() });
      return asked;
    } catch (error) {
      signal.throwIfAborted();
      this.#known.delete(peerId);
      this.#metrics.asked.inc({ outcome: 'failed' });
      log.debug({ peerId, err: error }, 'a member did not cosign');
      return undefined;
    }
  }

  /** False when the file was put back, changed or removed since: then members are asked again. */
  async #isKept(): Promise<boolean> {
    return ((await this.#newest())?.size ?? -1) >= this.#cosignedSize;
  }

  async #newest(): Promise<CosignedCheckpoint | undefined> {
    const note = await this.#file.read();
    if (note === undefined) return undefined;
    const { audit, isMember } = this.#deps;
    try {
      const newest = await verifyCosigned(note, audit.publicKey, isMember);
      this.#metrics.cosignatures.set(newest.cosignatures.length);
      this.#metrics.cosignedLeaves.set(newest.size);
      return newest;
    } catch (error) {
      if (!(error instanceof NectarError)) throw error;
      this.#deps.log.warn({ code: error.code }, 'the cosigned checkpoint on disk does not verify');
      return undefined;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.tick(signal);
      await sleep(this.#options.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
