import { setTimeout as delay } from 'node:timers/promises';
import { computeAddress, hexlify } from 'ethers';
import { createL1Sender, type L1Sender, type Outgoing } from '../batcher/l1-sender.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

/** The accounts from which this node pays on L1. Forcing, claims and assertions may share one. */
export interface L1Accounts {
  /** A sender for one purpose. Senders of the same account take turns. */
  sender(options: { readonly key: Uint8Array; readonly maxFeePerGasWei: bigint }): L1Sender;
}

/** So long a transaction that is not mined keeps others of its account waiting; then the next one may replace it. */
const PATIENCE_MS = 180_000;
const POLL_MS = 1_000;

/** Who has the next nonce of an account. */
interface Turn {
  held: { readonly sender: L1Sender; readonly outgoing: Outgoing; readonly since: number } | undefined;
  tail: Promise<unknown>;
}

export interface L1AccountsDeps {
  readonly rpc: JsonRpc;
  readonly now: () => number;
  readonly wait?: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * A sender takes the latest nonce, so that what an earlier run left waiting is replaced. Two senders of one account would
 * therefore replace each other's transactions: here each waits until the one before is mined.
 */
export function createL1Accounts({ chainId }: { readonly chainId: bigint }, deps: L1AccountsDeps): L1Accounts {
  const turns = new Map<string, Turn>();
  return {
    sender({ key, maxFeePerGasWei }) {
      const address = computeAddress(hexlify(key));
      const turn = turns.get(address) ?? { held: undefined, tail: Promise.resolve() };
      turns.set(address, turn);
      return takeTurns(createL1Sender({ key, chainId, maxFeePerGasWei }, deps.rpc), turn, deps);
    },
  };
}

function takeTurns(sender: L1Sender, turn: Turn, deps: L1AccountsDeps): L1Sender {
  const { now, wait = (signal) => delay(POLL_MS, undefined, { signal }) } = deps;

  async function untilFree(signal: AbortSignal): Promise<void> {
    while (turn.held !== undefined && now() - turn.held.since < PATIENCE_MS) {
      signal.throwIfAborted();
      if ((await turn.held.sender.standing(turn.held.outgoing, signal)) !== 'next') break;
      await wait(signal);
    }
    turn.held = undefined;
  }

  return {
    send(call, signal) {
      const sent = turn.tail.then(async () => {
        await untilFree(signal);
        const outgoing = await sender.send(call, signal);
        turn.held = { sender, outgoing, since: now() };
        return outgoing;
      });
      turn.tail = sent.catch(() => undefined);
      return sent;
    },
    // A raise of one that has lost its turn would replace the transaction that has it now.
    bump: async (outgoing, signal) => turn.held?.outgoing === outgoing && (await sender.bump(outgoing, signal)),
    standing: (outgoing, signal) => sender.standing(outgoing, signal),
  };
}
