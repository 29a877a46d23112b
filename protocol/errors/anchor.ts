import { define, EXIT } from './definition.ts';

/** Errors of anchoring: the pending file, and what the chain answers. */
export const ANCHOR_ERRORS = {
  ANCHOR_PENDING_CORRUPT: define<{ path: string }>({
    message: ({ path }) => `pending anchors in ${path} are not readable`,
    remedy:
      'Move the file away and start again: anchoring begins anew from the index and the log, and the chain refuses a root that it already has.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  ANCHOR_ANSWER_INVALID: define<{ contract: string; problem: string }>({
    message: ({ contract, problem }) => `${contract} gave an answer that is not valid: ${problem}`,
    remedy: 'The genesis of this network carries another contract than this version knows. Compare versions.',
    http: 502,
    exit: EXIT.config,
  }),
  ANCHOR_CALL_REFUSED: define<{ code: number }>({
    message: ({ code }) => `the chain refused a call with JSON-RPC code ${code}`,
    remedy: 'The node tries again by itself; `nectar-byon status` says what it waits for.',
    http: 502,
    exit: EXIT.unreachable,
  }),
};
