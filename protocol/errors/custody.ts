import { define } from './definition.ts';

/** Of backup repositories that a node keeps for others. */
export const CUSTODY_ERRORS = {
  CUSTODY_NAME_INVALID: define<Record<string, never>>({
    message: () => 'no backup repository has an object of that name',
  }),
  CUSTODY_OBJECT_ABSENT: define<{ object: string }>({
    message: ({ object }) => `${object} is not in the repository`,
  }),
  CUSTODY_OBJECT_PRESENT: define<{ object: string }>({
    message: ({ object }) => `${object} is in the repository already, and stays as it is`,
  }),
  CUSTODY_CONTENT_REFUSED: define<{ object: string; problem: string }>({
    message: ({ object, problem }) => `${object} is not taken into the repository: ${problem}`,
  }),
  CUSTODY_QUOTA: define<{ limit: number; unit: 'bytes' | 'repositories' }>({
    message: ({ limit, unit }) => `this node keeps at most ${limit} ${unit}${unit === 'bytes' ? ' for one owner' : ''}`,
  }),
  CUSTODY_REMOVAL_REFUSED: define<{ object: string; problem: string }>({
    message: ({ object, problem }) => `${object} stays: ${problem}`,
  }),
  CUSTODY_REPOSITORY_ABSENT: define<Record<string, never>>({
    message: () => 'this node keeps no repository for that owner',
  }),
};
