import type { EvidenceEvent } from '../../store/index.ts';
import { feed, upload } from '../method.ts';
import { count, exact, flag, hash, nothing, optional, shape, text } from '../shape.ts';

/** The body key, 32 bytes, then the checkpoint key as PKCS#8 DER. */
export const BODY_KEY_BYTES = 32;
export const MAX_KEYS_BYTES = 4096;

/** Resolves once the log that the keys open has started. */
export const hand = upload<null, null>({ name: 'hand', input: shape(nothing), output: shape(nothing) });

/** Stays open as long as the audit process that holds the keys lives: its end says that they are to be handed again. */
export const attend = feed<null, { holding: boolean }, null>({
  name: 'attend',
  input: shape(nothing),
  item: shape(exact({ holding: flag })),
  output: shape(nothing),
});

/** What happened to records, for the store's scrub: it goes here because only the store may ask. */
export const records = feed<{ from: number }, EvidenceEvent, null>({
  name: 'records',
  input: shape(exact({ from: count })),
  item: shape(
    exact({
      index: count,
      leafHash: optional(hash),
      time: optional(text(64)),
      type: text(64),
      outcome: text(16),
      recordId: optional(text(256)),
      version: optional(count),
      cid: optional(text(128)),
      destroyedAt: optional(text(64)),
    }),
  ),
  output: shape(nothing),
});
