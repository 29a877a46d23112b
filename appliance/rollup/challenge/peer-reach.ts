import { setTimeout as delay } from 'node:timers/promises';
import type { PeerIdText } from '../../../protocol/brand.ts';
import { encodeSignedMove, parseSignedMove } from '../../../protocol/dispute/message.ts';
import type { ChallengeAnswer } from '../../../protocol/network/challenge-exchange.ts';
import type { Reach } from './talks.ts';

/** The contact of a staker that is a peer of the network, in NodeCreated of the Rollup. */
const CONTACT = /^\/p2p\/([1-9A-HJ-NP-Za-km-z]{40,64})$/;
const LATER_MS = 5_000;
/** Ten minutes, after which the talk is over anyway. */
const MAX_TRIES = 120;

/** Says a move to a peer and resolves with its answer. */
export type AskChallenge = (peerId: PeerIdText, encoded: Uint8Array, signal: AbortSignal) => Promise<ChallengeAnswer>;

/** @returns the contact by which opponents reach a peer */
export const contactOf = (peerId: PeerIdText): string => `/p2p/${peerId}`;

/** The way to opponents that are peers. An answer that takes its time is asked for again until the talk ends. */
export function createPeerReach(
  ask: AskChallenge,
  wait: (ms: number, signal: AbortSignal) => Promise<unknown> = pause,
): Reach {
  return {
    canReach: (contact) => CONTACT.test(contact),
    async exchange(contact, message, signal) {
      const peerId = CONTACT.exec(contact)?.[1] as PeerIdText | undefined;
      if (peerId === undefined) return undefined;
      const encoded = encodeSignedMove(message);
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const answer = await ask(peerId, encoded, signal);
        if (answer.type === 'move') return parseSignedMove(answer.encoded);
        if (answer.type === 'taken' || answer.reason !== 'later') return undefined;
        await wait(LATER_MS, signal);
      }
      return undefined;
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
