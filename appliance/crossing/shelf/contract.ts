import { call, contract } from '../contract.ts';
import { exact, list, optional, pattern, text } from '../shape.ts';

/** As many characters: JSON escapes some of them. */
const MAX_TEXT_CHARS = 4 * 1024 * 1024;
const MAX_MESSAGE_BYTES = 3 * MAX_TEXT_CHARS;
const TIMEOUT_MS = 10_000;
/** Whoever shows a token waits for it. */
const VERSIONS_TIMEOUT_MS = 2_000;

const name = pattern('^[a-z][a-z-]{0,31}$', 32);
const version = pattern('^(none|[0-9a-f]{64})$', 64);

/** What gateways of one node keep together, at the store. */
export const shelf = contract('shelf', {
  read: call({
    args: [name],
    returns: exact({ text: optional(text(MAX_TEXT_CHARS)), version }),
    maxOutputBytes: MAX_MESSAGE_BYTES,
    timeoutMs: TIMEOUT_MS,
  }),
  versions: call({ args: [], returns: list(exact({ name, version }), 32), timeoutMs: VERSIONS_TIMEOUT_MS }),
  write: call({
    args: [name, text(MAX_TEXT_CHARS), version],
    returns: exact({ version }),
    maxInputBytes: MAX_MESSAGE_BYTES,
    timeoutMs: TIMEOUT_MS,
  }),
});
