import { define } from './definition.ts';

/** Errors of anchoring: the pending file, and what the chain answers. */
export const ANCHOR_ERRORS = {
  ANCHOR_PENDING_CORRUPT: define<{ path: string }>({
    message: ({ path }) => `pending anchors in ${path} are not readable`,
  }),
  ANCHOR_ANSWER_INVALID: define<{ contract: string; problem: string }>({
    message: ({ contract, problem }) => `${contract} gave an answer that is not valid: ${problem}`,
  }),
  ANCHOR_CALL_REFUSED: define<{ code: number }>({
    message: ({ code }) => `the chain refused a call with JSON-RPC code ${code}`,
  }),
};
