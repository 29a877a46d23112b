import { define } from './definition.ts';

export const DISPUTE_ERRORS = {
  DISPUTE_MOVE_INVALID: define<{ round: number; reason: string }>({
    message: ({ round, reason }) => `the move of round ${round} is not valid: ${reason}`,
  }),
  DISPUTE_SIGNATURE_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the signature of a dispute's message is not valid: ${reason}`,
  }),
  DISPUTE_UNKNOWN: define<{ id: string }>({
    message: ({ id }) => `this node has no challenge ${id}`,
  }),
  DISPUTE_MACHINE_MISSING: define<{ what: string }>({
    message: ({ what }) => `this node cannot finish a challenge: it has no ${what}`,
  }),
  DISPUTE_STATE_MISSING: define<{ batch: bigint; offset: bigint }>({
    message: ({ batch, offset }) => `this node has not derived block ${offset} of batch ${batch}, which is disputed`,
    severity: 'temporary',
  }),
  DISPUTE_UNDECIDED: define<{ seconds: number; waiting: string }>({
    message: ({ seconds, waiting }) => `the simulated dispute has no end after ${seconds} seconds: ${waiting}`,
  }),
  DISPUTE_NO_ANSWER: define<{ challenge: string; round: number }>({
    message: ({ challenge, round }) =>
      `this node finds nothing false in round ${round} of challenge ${challenge}, which its opponent has signed`,
  }),
};
