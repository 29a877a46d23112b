import { call, contract, every, items, SIGNAL, secret } from '../contract.ts';
import { count, done, exact, flag, hash, oneOf, optional, recordId, text } from '../shape.ts';

/** The secret of bodies (body-secret.ts), then the checkpoint key as PKCS#8 DER: Ed25519, so of one length (RFC 8410). */
export const CHECKPOINT_KEY_BYTES = 48;
const MAX_KEYS_BYTES = 4096;

const evidence = exact({
  index: count,
  leafHash: optional(hash),
  time: optional(text(64)),
  type: text(64),
  outcome: oneOf('success', 'failure'),
  recordId: optional(recordId),
  version: optional(count),
  cid: optional(text(128)),
  destroyedAt: optional(text(64)),
});

/** What the store does for the log, which has no keys of its own, and asks of it, for its scrub. */
export const auditKeys = contract('audit-keys', {
  /** Resolves once the log that the keys open has started. */
  hand: call({ args: [secret(MAX_KEYS_BYTES), SIGNAL], returns: done }),
  /** Stays open as long as the audit process that holds the keys lives: its end says that they are to be handed again. */
  attend: call({ args: [every(exact({ holding: flag })), SIGNAL], returns: done }),
  /** What happened to records: it goes here because only the store may ask. */
  records: call({ args: [count, SIGNAL], returns: items(evidence) }),
});
