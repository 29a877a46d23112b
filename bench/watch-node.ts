import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../protocol/brand.ts';
import type { RpcClient } from './rpc-client.ts';
import type { ServedNode } from './served-node.ts';

/** What a run did to the node at most, and in the end. */
export interface Seen {
  /** Blocks that L1 did not have yet. */
  readonly maxLag: number;
  readonly lastLag: number;
  /** Of the rollup role; `own` without what is of files. */
  readonly maxRssMiB: number;
  readonly maxOwnMiB: number;
}

export async function numberOf(client: RpcClient, tag: 'safe' | 'latest'): Promise<number> {
  return Number((await client.ask<{ number: Hex }>('eth_getBlockByNumber', tag, false)).number);
}

async function lagOf(client: RpcClient): Promise<number> {
  const [safe, latest] = [await numberOf(client, 'safe'), await numberOf(client, 'latest')];
  return latest - safe;
}

/** Watches what a run does to the node until it is told to end. */
export function watchNode(client: RpcClient, node: ServedNode): { end(): Promise<Seen> } {
  const seen = { maxLag: 0, lastLag: 0, maxRssMiB: 0, maxOwnMiB: 0 };
  let isOver = false;
  const look = async (): Promise<void> => {
    while (!isOver) {
      seen.lastLag = await lagOf(client);
      seen.maxLag = Math.max(seen.maxLag, seen.lastLag);
      const { all, own } = node.memoryMiB('rollup');
      seen.maxRssMiB = Math.max(seen.maxRssMiB, all);
      seen.maxOwnMiB = Math.max(seen.maxOwnMiB, own);
      await delay(1_000);
    }
  };
  const watching = look();
  // Thrown at the end: nothing ends the program before it has stopped the node.
  watching.catch(() => {});
  return {
    async end() {
      isOver = true;
      await watching;
      return seen;
    },
  };
}
