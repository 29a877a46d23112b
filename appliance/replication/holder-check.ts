import type { ReplicationConfig } from './config.ts';
import { inParallel } from './in-parallel.ts';
import type { HeldQuestion, ProofOutcome, ReplicationDeps } from './needs.ts';

/**
 * One round of questions to holders. `done` was a promise: a holder counts as long as it answers for random ranges of random blocks.
 * Adversary: a holder that says `done` and keeps nothing, keeps less later, or is gone. Our own absence is no fault of theirs.
 */
export function createHolderCheck(
  config: ReplicationConfig,
  deps: ReplicationDeps,
): (signal: AbortSignal) => Promise<Record<ProofOutcome | 'out', number>> {
  async function ask(question: HeldQuestion, signal: AbortSignal): Promise<ProofOutcome | 'out' | undefined> {
    const isMember = await deps.isMember(question.holder).catch(() => undefined);
    // A registry without an answer puts nobody out.
    if (isMember === undefined) return undefined;
    return isMember ? await deps.prove(question, signal) : 'out';
  }

  return async (signal) => {
    const counts = { proved: 0, absent: 0, false: 0, silent: 0, out: 0 };
    const unanswered: HeldQuestion[] = [];
    const check = async (question: HeldQuestion): Promise<void> => {
      signal.throwIfAborted();
      const outcome = await ask(question, signal);
      if (outcome === undefined) return;
      counts[outcome] += 1;
      if (outcome === 'silent') unanswered.push(question);
      else await deps.store.holderAnswered({ ...question, outcome });
    };
    await inParallel(await deps.store.holderQuestions(config.checks), config.parallel, check);
    const isAlone = counts.proved + counts.absent + counts.false === 0 && (await deps.members()).length === 0;
    if (!isAlone)
      for (const question of unanswered) await deps.store.holderAnswered({ ...question, outcome: 'silent' });
    return counts;
  };
}
