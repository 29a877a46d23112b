import type { Cid, PeerIdText } from '../../../protocol/brand.ts';
import type { HeldBlocks, Store } from '../../store/index.ts';
import { collect, once } from '../collect.ts';
import type { Connection } from '../connection.ts';
import { invalidMessage } from '../message.ts';
import {
  getBlock,
  getHeld,
  handIn,
  holdBlock,
  MAX_BLOCK_BYTES,
  markAnchored,
  markReplicated,
  released,
  releaseHeld,
  SECRET_BYTES,
  secrets,
  unanchored,
  underReplicated,
  type Want,
  wanted,
} from './contract.ts';

/** The rollup role's own secrets, 32 bytes each. */
export interface RollupSecrets {
  readonly databaseKey: Uint8Array;
  readonly operatorKey: Uint8Array;
  readonly identitySeed: Uint8Array;
}

type Crossed = 'underReplicated' | 'markReplicated' | 'unanchored' | 'markAnchored';

/** The store's ciphertext side, reached over its socket. */
export interface BlocksClient extends Pick<Store, Crossed> {
  readonly blocks: Pick<Store['blocks'], 'get'>;
  readonly held: Omit<HeldBlocks, 'bytes'>;
  /** Resolves once the node is unlocked. */
  secrets(signal: AbortSignal): Promise<RollupSecrets>;
  /** Tells what the store wants, until the connection ends or the signal aborts. */
  wanted(onWant: (want: Want) => void, signal: AbortSignal): Promise<void>;
  handIn(id: number, bytes: Uint8Array | undefined): Promise<void>;
  released(id: number, holders: readonly PeerIdText[]): Promise<void>;
}

export function createBlocksClient(connection: Connection): BlocksClient {
  async function block(answer: { head: { found: boolean }; body: AsyncIterable<Uint8Array> }, operation: string) {
    const bytes = await collect(answer.body, MAX_BLOCK_BYTES, { service: 'store', operation });
    return answer.head.found ? bytes : undefined;
  }

  return {
    blocks: { get: async (cid: Cid) => block(await connection.download(getBlock, { cid }), getBlock.name) },
    underReplicated: (limit) => connection.unary(underReplicated, { limit }),
    async markReplicated(root, holder) {
      await connection.unary(markReplicated, { root, holder });
    },
    unanchored: (limit) => connection.unary(unanchored, { limit }),
    async markAnchored(items, anchor) {
      await connection.unary(markAnchored, { items, anchor });
    },
    held: {
      async hold(owner, root, { cid, bytes }) {
        await connection.upload(holdBlock, { owner, root, cid }, once(bytes));
      },
      get: async (owner, cid) => block(await connection.download(getHeld, { owner, cid }), getHeld.name),
      async release(owner, root) {
        await connection.unary(releaseHeld, { owner, root });
      },
    },
    async secrets(signal) {
      const { body } = await connection.download(secrets, null, signal);
      const origin = { service: 'store', operation: secrets.name };
      const all = await collect(body, 3 * SECRET_BYTES, origin);
      if (all.length !== 3 * SECRET_BYTES) throw invalidMessage(origin, 'not three secrets');
      const part = (index: number): Uint8Array => all.slice(index * SECRET_BYTES, (index + 1) * SECRET_BYTES);
      const found = { databaseKey: part(0), operatorKey: part(1), identitySeed: part(2) };
      all.fill(0);
      return found;
    },
    async wanted(onWant, signal) {
      await connection.feed(wanted, null, onWant, signal);
    },
    async handIn(id, bytes) {
      await connection.upload(handIn, { id, found: bytes !== undefined }, once(bytes ?? new Uint8Array(0)));
    },
    async released(id, holders) {
      await connection.unary(released, { id, holders });
    },
  };
}
