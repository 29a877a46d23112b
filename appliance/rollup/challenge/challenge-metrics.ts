import { Gauge } from 'prom-client';
import type { Metrics } from '../../telemetry/index.ts';
import type { ChallengeState } from './challenges.ts';
import type { StakeOutcomes } from './stake-outcomes.ts';

/** The challenges of the own stake, as the newest look has them. */
export interface ChallengesInView {
  readonly states: readonly ChallengeState[];
  /** Undefined until L1 has told them. */
  readonly outcomes: StakeOutcomes | undefined;
}

/** `read` answers undefined on a node that only watches: then there is nothing to count. */
export function addChallengeMetrics(registry: Metrics, read: () => ChallengesInView | undefined): void {
  const registers = [registry];
  new Gauge({
    name: 'nectar_rollup_challenges',
    help: 'Challenges of the own stake that are open on L1, by whose turn it is',
    labelNames: ['turn'],
    registers,
    collect() {
      this.reset();
      const open = read()?.states.filter(({ onL1 }) => onL1 === 'open');
      if (open === undefined) return;
      const own = open.filter(isOwnTurn).length;
      this.set({ turn: 'own' }, own);
      this.set({ turn: 'opponent' }, open.length - own);
    },
  });
  // Labelled though no label tells more: prom-client shows 0 of a gauge without labels that was never set, and 0 s is an alarm.
  new Gauge({
    name: 'nectar_rollup_challenge_clock_left_seconds',
    help: 'What is left on the own clock that has least, of the challenges that wait for this node; absent without one',
    labelNames: ['turn'],
    registers,
    collect() {
      this.reset();
      const left = (read()?.states ?? []).filter(isOwnTurn).map(({ leftS }) => Number(leftS ?? 0n));
      if (left.length > 0) this.set({ turn: 'own' }, Math.max(0, Math.min(...left)));
    },
  });
  new Gauge({
    name: 'nectar_rollup_challenged_stakes',
    help: 'Stakes that challenges of this account ended with: won took one of an opponent, lost one of its own',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      const outcomes = read()?.outcomes;
      if (outcomes === undefined) return;
      this.set({ outcome: 'won' }, outcomes.won);
      this.set({ outcome: 'lost' }, outcomes.lost);
    },
  });
}

function isOwnTurn({ onL1, turn, side }: ChallengeState): boolean {
  return onL1 === 'open' && turn === side;
}
