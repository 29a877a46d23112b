/** Selectors of Solidity's Error(string) and Panic(uint256). */
const ERROR_SELECTOR = '08c379a0';
const PANIC_SELECTOR = '4e487b71';
const WORD_BYTES = 32;
const MAX_REASON_BYTES = 1_024;

/** The reason that a Solidity contract gave for a revert; undefined for none or a custom error (its data goes to the caller). */
export function revertReason(data: Uint8Array): string | undefined {
  const bytes = Buffer.from(data);
  const selector = bytes.subarray(0, 4).toString('hex');
  const body = bytes.subarray(4);
  if (selector === PANIC_SELECTOR && body.length === WORD_BYTES) return `panic code 0x${body[31]?.toString(16)}`;
  if (selector !== ERROR_SELECTOR || body.length < 2 * WORD_BYTES) return undefined;
  const length = body.readUIntBE(2 * WORD_BYTES - 6, 6);
  if (length > MAX_REASON_BYTES || body.length < 2 * WORD_BYTES + length) return undefined;
  return body.subarray(2 * WORD_BYTES, 2 * WORD_BYTES + length).toString('utf8');
}
