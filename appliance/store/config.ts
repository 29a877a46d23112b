import Type, { type Static } from 'typebox';

const MIB = 1024 * 1024;
const TIB = 1024 ** 4;

/** Options of the store service. */
export const storeConfig = Type.Object({
  maxRecordBytes: Type.Integer({
    default: TIB,
    minimum: 1,
    maximum: TIB,
    description: 'Largest record in bytes.',
  }),
  inlineMaxBytes: Type.Integer({
    default: 64 * 1024,
    minimum: 0,
    maximum: 512 * 1024,
    description: 'Sealed records up to this many bytes live in the database instead of files of their own.',
  }),
  minFreeBytes: Type.Integer({
    default: 64 * MIB,
    minimum: 0,
    description:
      'Writes are refused while the volume has less free space than this, so that deleting and the index always have room.',
  }),
  replicas: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 16,
    description: 'Copies of every record that peers should hold.',
  }),
  maxPartialUploads: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 10_000,
    description: 'Resumable uploads kept at a time, finished ones with their receipts included.',
  }),
  maxPartialUploadsPerOwner: Type.Integer({
    default: 32,
    minimum: 1,
    description: 'The same, unfinished, of the tokens of one subject.',
  }),
  partialUploadTtlMs: Type.Integer({
    default: 24 * 3_600_000,
    minimum: 1_000,
    description: 'Time that an unfinished upload is kept after the last byte that came of it.',
  }),
  holderLateMs: Type.Integer({
    default: 3_600_000,
    minimum: 1_000,
    description: 'A holder that has proved nothing for so long is not counted, until it does.',
  }),
  holderLostMs: Type.Integer({
    default: 86_400_000,
    minimum: 1_000,
    description:
      'A holder that was asked and silent for so long is given up: what it holds is brought to others. A reboot moves nothing.',
  }),
  releaseMaxAgeMs: Type.Integer({
    default: 365 * 86_400_000,
    minimum: 1_000,
    description:
      'A holder that has not signed for so long that a destroyed blob is gone is not told again; the audit log says that there is no receipt.',
  }),
  heldMaxBytes: Type.Integer({
    default: 0,
    minimum: 0,
    description:
      'Most bytes of blocks that this node holds for other owners together. 0: it takes none. `storage offer` changes it while the node runs, and counts from then on.',
  }),
  heldMaxPercent: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 100,
    description:
      'Most of the free space of the volume, with what is held already, that blocks of other owners may take, in per cent. It bounds the offer (`store.heldMaxBytes`).',
  }),
  heldGraceMs: Type.Integer({
    default: 30 * 86_400_000,
    minimum: 1_000,
    description:
      'What is held for an owner who left or was ejected can be read and released by that owner for so long, and is deleted then.',
  }),
  heldPartialMs: Type.Integer({
    default: 3_600_000,
    minimum: 1_000,
    description: 'A blob of another owner that has not been brought whole so long after its last block is deleted.',
  }),
  ownReserveBytes: Type.Integer({
    default: 1024 * MIB,
    minimum: 0,
    description:
      'Blocks of other owners are refused while the volume has less free space than this: it is for own records.',
  }),
  heldPerOwnerMaxBytes: Type.Integer({
    default: 16 * 1024 * MIB,
    minimum: 0,
    description: 'Most bytes of blocks that this node holds for one other owner.',
  }),
});

export type StoreConfig = Static<typeof storeConfig>;
