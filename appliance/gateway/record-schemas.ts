import Type, { type Static } from 'typebox';
import { CidText, Count, EXAMPLE_PEER, Instant, RecordIdText, strict, Version } from './schema-parts.ts';

/** Shapes of the HTTP API: records, and what is said of the store. */

export const RecordReceipt = Type.Object(
  {
    recordId: RecordIdText,
    version: Version,
    cid: CidText,
    bytes: Count('Size of the plaintext.'),
    auditLeaf: Count('Index of the audit leaf that records this.'),
  },
  { description: 'Receipt: the version is durable, and so is its audit record.', ...strict },
);
export type RecordReceipt = Static<typeof RecordReceipt>;

export const RecordMeta = Type.Object(
  {
    recordId: RecordIdText,
    version: Version,
    bytes: Count('Size of the plaintext.'),
    contentType: Type.String({ examples: ['application/fhir+json'] }),
    labels: Type.Array(Type.String(), { examples: [['imaging']] }),
    name: Type.Optional(Type.String({ examples: ['bundle.json'] })),
    cid: CidText,
    createdAt: Instant('When this version was stored.'),
    kekId: Type.String({ examples: ['kek/1'] }),
    replicas: Type.Array(Type.String(), { description: 'Peers that hold the ciphertext.', examples: [[EXAMPLE_PEER]] }),
    anchored: Type.Boolean({ description: 'Whether its commitment is anchored on the chain.' }),
  },
  { description: 'A record version, without its content.', ...strict },
);
export type RecordMeta = Static<typeof RecordMeta>;

export const RecordPage = Type.Object(
  {
    records: Type.Array(RecordMeta),
    cursor: Type.Optional(Type.String({ description: 'Pass it to get the next page.' })),
    damaged: Type.Optional(Count('Records left out, because their entries do not open; `fsck` names them.')),
  },
  { description: 'A page of records.', ...strict },
);
export type RecordPage = Static<typeof RecordPage>;

export const DestructionReceipt = Type.Object(
  { recordId: RecordIdText },
  { description: 'Signed destruction receipt: every wrapped key of the record is gone.', additionalProperties: true },
);
export type DestructionReceipt = Static<typeof DestructionReceipt>;

export const AdoptedEntries = Type.Object(
  {
    offered: Count('Versions and small blobs that came.'),
    adopted: Count('Of them, those that the index lacked.'),
    refused: Count('Those that are not of this node, that the log did not make, or that it has destroyed.'),
    wanted: Type.Array(Type.String(), { description: 'Database keys, hex, of small blobs that are lacking too.' }),
  },
  { description: 'What the index took from a backup.', ...strict },
);
export type AdoptedEntries = Static<typeof AdoptedEntries>;

export const FsckReport = Type.Object(
  {
    records: Count('Records that are there.'),
    versions: Count('Versions that are there.'),
    rebuilt: Count('Entries made anew.'),
    removed: Count('Values removed that did not open or pointed nowhere.'),
    lostVersions: Count('Versions that are gone.'),
    lost: Type.Array(Type.Object({ recordId: Type.Optional(RecordIdText), version: Type.Optional(Version) }, strict), {
      description: 'The first of them.',
    }),
    accepted: Type.Boolean(),
  },
  { description: 'What was rebuilt, and what could not be.', ...strict },
);
export type FsckReport = Static<typeof FsckReport>;

export const ScrubReport = Type.Object(
  {},
  { description: 'What a full re-read of the store found.', additionalProperties: true },
);
