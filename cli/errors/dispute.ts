import { EXIT } from '../../appliance/exit-code.ts';
import type { DISPUTE_ERRORS } from '../../protocol/errors/dispute.ts';
import type { Guidance } from './guidance.ts';

export const DISPUTE_GUIDANCE: Record<keyof typeof DISPUTE_ERRORS, Guidance> = {
  DISPUTE_MOVE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'Nothing to do: the message is ignored, and the clocks on L1 decide. An opponent that sends such lies or is of another version.',
  },
  DISPUTE_SIGNATURE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'Nothing to do: the message is ignored. It was not signed by the account that L1 names for the opponent.',
  },
  DISPUTE_UNKNOWN: { exit: EXIT.usage, remedy: '`nectar-byon dispute list` names them.' },
  DISPUTE_MACHINE_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      "Without it the node plays the rounds about blocks and ends what a silent opponent leaves, and proves no step. Tell the guardian of the network while a clock runs. For a prover name the network's string in `rollup.validator.srsFolder`, and install @aztec/bb.js 5.0.0 beside the program or name its bb in `rollup.validator.proverProgram`.",
  },
  DISPUTE_STATE_MISSING: {
    exit: EXIT.unreachable,
    remedy: 'The node tries again by itself. Check that it follows L1: `nectar-byon status`.',
  },
  DISPUTE_UNDECIDED: {
    exit: EXIT.checksFailed,
    remedy: 'Run it again while the machine has less to do. If it has no end again, report it as a bug.',
  },
  DISPUTE_NO_ANSWER: {
    exit: EXIT.checksFailed,
    remedy:
      'The two do not differ where the opponent says, or the chain of this node has changed since. Check the node with `nectar-byon doctor` and `nectar-byon chain rebuild`; a stake is at risk while its clock runs: tell the guardian of the network.',
  },
};
