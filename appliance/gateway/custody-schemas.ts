import Type, { type Static } from 'typebox';
import { Count, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: backup repositories that this node keeps for others. */

const MAX_NAMES = 1_000;

export const ObjectNameText = Type.String({
  description:
    'Name of an object in a repository: `objects/ab/SHA256`, `keys/N-SHA256`, `snapshots/N.note`, `repository.json`.',
  pattern: '^[a-z0-9./-]{1,100}$',
  examples: ['snapshots/0000000007.note'],
});

export const KeptObject = Type.Object(
  { name: ObjectNameText, bytes: Count('Its size.') },
  { description: 'An object of a repository.', ...strict },
);
export type KeptObject = Static<typeof KeptObject>;

export const RemovalRequest = Type.Object(
  { names: Type.Array(ObjectNameText, { minItems: 1, maxItems: MAX_NAMES }) },
  strict,
);
export type RemovalRequest = Static<typeof RemovalRequest>;

export const RemovedObjects = Type.Object(
  { objects: Count('Objects that went.'), bytes: Count('Their bytes.') },
  { description: 'What was removed.', ...strict },
);
export type RemovedObjects = Static<typeof RemovedObjects>;

export const CustodyStatus = Type.Object(
  {
    repositories: Count('Backup repositories of other nodes that this node keeps.'),
    bytes: Count('All that is kept of them.'),
    fullestBytes: Count('Of the largest.'),
    quotaBytes: Count('Of each.'),
    oldestAt: Type.Union([Type.String(), Type.Null()], {
      description: 'The oldest of their newest snapshots, as their owners say.',
    }),
    refused: Count('What owners wanted, and was refused, since the start.'),
  },
  strict,
);
export type CustodyStatus = Static<typeof CustodyStatus>;

export const KeptRepositories = Type.Object(
  {
    repositories: Type.Array(
      Type.Object(
        {
          owner: Type.String({ description: 'Subject of the tokens that open it.', examples: ['clinic-a'] }),
          repository: Type.String({ description: 'Its id.' }),
          nodeId: Type.String({ description: 'The node that it is of.' }),
          createdAt: Type.String({ description: 'When it began.' }),
          checkpointKey: Type.String({
            description: 'The key that its snapshots are signed by; pinned at its beginning.',
          }),
          generation: Count('Of the newest snapshot; 0 before the first.'),
          snapshotAt: Type.String({ description: 'When that was made; empty before the first.' }),
          bytes: Count('All that is kept of it.'),
        },
        strict,
      ),
    ),
  },
  { description: 'Backup repositories that this node keeps for others; their content is sealed.', ...strict },
);
export type KeptRepositories = Static<typeof KeptRepositories>;
