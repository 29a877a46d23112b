import type { Hex } from '../../../protocol/brand.ts';
import type { SignedMove } from '../../../protocol/dispute/move.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Talks } from './challenges.ts';
import type { Conversations } from './conversations.ts';
import type { Rivalry } from './rivalry.ts';

/** The way to an opponent. */
export interface Reach {
  canReach(contact: string): boolean;
  /** Brings a message and the answer to it, if there is one. Rejects when the opponent cannot be reached. */
  exchange(contact: string, message: SignedMove, signal: AbortSignal): Promise<SignedMove | undefined>;
}

export interface TalksDeps {
  readonly conversations: Conversations;
  readonly reach: Reach;
  readonly log: Logger;
}

/** The opener's half of talking: it says its newest move until the last round, and comes again at the next look where that fails. */
export function createTalks({ conversations, reach, log }: TalksDeps): Talks {
  const talking = new Set<Hex>();

  async function talk(rivalry: Rivalry, signal: AbortSignal): Promise<void> {
    let said = await conversations.newest(rivalry);
    while (said !== undefined && !signal.aborted) {
      const answer = await reach.exchange(rivalry.contact, said, signal);
      if (answer === undefined) return;
      await conversations.hear(rivalry, answer);
      const next = await conversations.newest(rivalry);
      // An opponent that repeats itself gets no further turn before the next look.
      if (next !== undefined && next.move.round <= said.move.round) return;
      said = next;
    }
  }

  return {
    canReach: ({ contact }) => reach.canReach(contact),
    async keepTalking(rivalry, signal) {
      const { id } = rivalry.subject;
      if (talking.has(id)) return;
      talking.add(id);
      await talk(rivalry, signal)
        .catch((error) => log.debug({ err: error, challenge: id }, 'the talk with an opponent ended'))
        .finally(() => talking.delete(id));
    },
  };
}
