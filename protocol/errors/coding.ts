import { define } from './definition.ts';

/** Errors of shards: cutting, coding, trees, audits of what holders keep. */
export const CODING_ERRORS = {
  CODING_INPUT_INVALID: define<{ field: string; problem: string }>({
    message: ({ field, problem }) => `${field}: ${problem}`,
  }),
  CODING_SHARDS_TOO_FEW: define<{ needed: number; present: number }>({
    message: ({ needed, present }) => `the segment needs ${needed} shards and ${present} are there`,
  }),
  CODING_AUDIT_ANSWER_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `the answer to a storage audit is not valid: ${problem}`,
  }),
  CODING_FILE_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `coding.wasm is not that of this version: ${reason}`,
  }),
  CODING_THREAD_ENDED: define<{ reason: string }>({
    message: ({ reason }) => `the coding thread has ended: ${reason}`,
  }),
};
