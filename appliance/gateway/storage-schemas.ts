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

const Whole = (description: string) => Type.Integer({ description, minimum: 0, examples: [12] });

export const ShardStanding = Type.Object(
  {
    holders: Whole('Members that offer something and are trusted.'),
    storageClass: Type.Optional(
      Type.String({
        description: 'How blobs are coded now. Absent: fewer than five such members, so blobs are replicated.',
        examples: ['small'],
      }),
    ),
    segments: Whole('Segments of blobs that are coded into shards.'),
    durable: Whole(
      'Of them, at the last look: enough shards have passed an audit to count as durable at other places.',
    ),
    waiting: Whole('Versions that want for shards.'),
    repairs: Whole('Segments whose lost shards are to be made anew.'),
    leastMargin: Type.Optional(
      Type.Integer({ description: 'Shards that may still go, of the most endangered segment.', examples: [3] }),
    ),
    margins: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description: 'Segments by the number of shards that may still go.',
    }),
    unprovedMs: Type.Optional(Whole('Since the holder that is longest silent proved something, in milliseconds.')),
    standings: Type.Array(
      Type.Object(
        {
          holder: Type.String({ description: 'Its peer id.' }),
          score: Type.Number({ description: 'From 0 to 1; below 0.6 it is given nothing new.' }),
          passed: Whole('Audits that it passed.'),
          isSuspended: Type.Boolean({ description: 'Given nothing new.' }),
          provedAt: Type.Optional(Type.String({ description: 'The last audit that it passed.' })),
        },
        strict,
      ),
      { description: 'Holders as audits left them.' },
    ),
  },
  { description: 'Shards of this node at other members.', ...strict },
);
export type ShardStanding = Static<typeof ShardStanding>;

const RecordIdText = Type.String({ description: 'Its id.', pattern: '^[0-9a-f]{32}$' });

export const RecordShards = Type.Object(
  {
    recordId: RecordIdText,
    version: Whole('The newest.'),
    segments: Type.Array(
      Type.Object(
        {
          number: Whole('Its place in the blob.'),
          storageClass: Type.String({ description: 'How it is coded.', examples: ['small'] }),
          bytes: Whole('Of ciphertext.'),
          shards: Whole('All of them.'),
          placed: Whole('Those that passed an audit at a holder.'),
          margin: Type.Integer({ description: 'How many of them may still go.', examples: [3] }),
        },
        strict,
      ),
      { description: 'None where the record is replicated, or not coded yet.' },
    ),
  },
  { description: 'A record at its holders.', ...strict },
);
export type RecordShards = Static<typeof RecordShards>;

export const DrillRequest = Type.Object({ recordId: RecordIdText, segment: Whole('Which of its segments.') }, strict);
export type DrillRequest = Static<typeof DrillRequest>;

export const ShardDrill = Type.Object(
  {
    recordId: RecordIdText,
    version: Whole('The newest.'),
    segment: Whole('Which.'),
    bytes: Whole('That were read.'),
    blocks: Whole('Each was the one that its CID names.'),
  },
  { description: 'A segment that was read from its holders alone, and is right to the byte.', ...strict },
);
export type ShardDrill = Static<typeof ShardDrill>;

export const RepairRequest = Type.Object(
  {
    awayFrom: Type.Optional(
      Type.String({ description: 'A peer id: it is given no more shards.', pattern: '^[1-9A-HJ-NP-Za-km-z]{20,80}$' }),
    ),
  },
  strict,
);
export type RepairRequest = Static<typeof RepairRequest>;

export const OfferRequest = Type.Object(
  { bytes: Type.Integer({ description: 'From now on; 0: nothing more.', minimum: 0, maximum: MAX_OFFER_BYTES }) },
  strict,
);
export type OfferRequest = Static<typeof OfferRequest>;
