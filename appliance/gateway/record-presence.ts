import Type, { type Static } from 'typebox';
import { RecordIdText, strict, Version } from './schema-parts.ts';

/** Records that one question asks for. */
const MAX_ASKED_RECORDS = 1_000;
/** Of the question's JSON. */
export const MAX_QUESTION_BYTES = 64 * 1024;

export const RecordQuestion = Type.Object(
  { records: Type.Array(RecordIdText, { minItems: 1, maxItems: MAX_ASKED_RECORDS }) },
  { description: 'Ids of records.', ...strict },
);
export type RecordQuestion = Static<typeof RecordQuestion>;

export const RecordPresences = Type.Object(
  {
    records: Type.Array(
      Type.Object(
        {
          recordId: RecordIdText,
          state: Type.Enum(['present', 'absent', 'destroyed', 'lost', 'damaged'], {
            description:
              'absent: no such record. lost: the audit log tells of it, and the index does not have it. damaged: see fsck.',
            examples: ['present'],
          }),
          version: Type.Optional(Version),
        },
        strict,
      ),
      { maxItems: MAX_ASKED_RECORDS },
    ),
  },
  { description: 'One answer for each id, in their order; of those that are present the newest version.', ...strict },
);
export type RecordPresences = Static<typeof RecordPresences>;
