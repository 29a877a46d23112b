import Type, { type Static } from 'typebox';
import { strict } from './schema-parts.ts';

/** Shapes of the HTTP API: what this node stores for others. */

/** A PiB. */
const MAX_OFFER_BYTES = 1024 ** 5;

const Bytes = (description: string) => Type.Integer({ description, minimum: 0, examples: [107_374_182_400] });

export const StorageOffer = Type.Object(
  {
    bytes: Bytes('Most bytes of other owners that this node takes; 0: none.'),
    heldBytes: Bytes('Held for other owners now; more than the offer where that was made smaller.'),
    from: Type.Union([Type.Literal('configuration'), Type.Literal('command')], {
      description: 'Who says so: `store.heldMaxBytes`, or the last `storage offer`.',
    }),
  },
  { description: 'Encrypted blocks of other owners on this node.', ...strict },
);
export type StorageOffer = Static<typeof StorageOffer>;

export const OfferRequest = Type.Object(
  { bytes: Type.Integer({ description: 'From now on; 0: nothing more.', minimum: 0, maximum: MAX_OFFER_BYTES }) },
  strict,
);
export type OfferRequest = Static<typeof OfferRequest>;
