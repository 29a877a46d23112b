/** Rules that the model can weaken, one at a time. The search has to find a game that each of them loses. */
export const MUTANTS = {
  'end may agree': 'valid: m.end may equal the point that it denies',
  'start is free': 'valid: m.start need not be the point before the choice',
  'index is free': 'valid: the index need not follow the choice',
  'first state is free': 'valid: the first round about steps may begin at any state',
  'result may agree': 'valid: the end of an iteration may have the result that it denies',
  'prev needs no signature': 'L1: a move may answer a message that the other never signed',
  'rounds may shrink': 'L1: a signed message of a lower round replaces the stored one',
  'points are withheld': 'L1: a move may carry the root of its points alone',
  'clocks are not charged': 'L1: a move costs its author no time',
  'clocks of stakers': 'L1: one clock for all challenges of a staker',
  'no least clock': 'L1: a move does not raise the clock of the other to E',
  'clocks run in a freeze': 'L1: a freeze stops calls and no clock',
  'timeout is early': 'L1: a timeout needs half the clock',
  'anyone concedes': 'L1: a concession needs no signature',
  'core above the modulus': 'settle: the post-state may be encoded a second way',
  'pre-state is free': 'settle: the pre-state need not open the point before the choice',
  'post-state may agree': 'settle: the proven post-state may equal the point',
  'settle in any round': 'settle: the message need not be of the last round',
  'one verifier': 'settle: the second verifier is not asked',
  'rivals on one node': 'open: both stakers may back the same child',
  'dead stakers play': 'L1: a call does not look whether both stakers live',
  'content loses': 'Rollup: an elimination kills the node, not the staker alone',
  'no joining window': 'Rollup: backers until first + P alone',
  'the dead stay dead':
    'Rollup: what died in the joining window cannot be made again (the page, and the contract today)',
  'children for ever': 'Rollup: new children until D, which they extend',
  'rivals may live': 'Rollup: confirm does not ask that p.live = 1',
  'no limit of refunds': 'Stakes: refunds are not limited to 80 %',
  'no period': 'Rollup: confirm does not wait for first + P',
} as const;

export type Mutant = keyof typeof MUTANTS;
