import { readFile, stat } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { replaceFile } from '../durable-file.ts';

const MAX_FLOORS_BYTES = 64 * 1024;
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const FloorsFile = Type.Object(
  {
    version: Type.Literal(1),
    floors: Type.Record(Hash, Type.Object({ number: Type.String({ pattern: '^\\d{1,48}$' }), digest: Hash })),
  },
  { additionalProperties: false },
);
const shape = Compile(FloorsFile);

/** The newest list that was taken of each authority, by the hash of its key. */
export type Floors = Readonly<Static<typeof FloorsFile>['floors']>;

export interface RevocationPaths {
  /** The lists, PEM. */
  readonly lists: string;
  /** What they may not go back behind. */
  readonly floors: string;
}

export function createRevocationFiles(paths: RevocationPaths, maxListsBytes: number) {
  return {
    /** Empty where there is none. Throws for what cannot be read. */
    async readLists(): Promise<string> {
      return (await readText(paths.lists, maxListsBytes)) ?? '';
    },
    async readFloors(): Promise<Floors> {
      const text = await readText(paths.floors, MAX_FLOORS_BYTES);
      if (text === undefined) return {};
      const value: unknown = JSON.parse(text);
      if (!shape.Check(value)) throw new RangeError('the numbers of lists that were taken have another shape');
      return value.floors;
    },
    writeLists: (pem: string) => replaceFile(paths.lists, pem, 0o600),
    writeFloors: (floors: Floors) =>
      replaceFile(paths.floors, `${JSON.stringify({ version: 1, floors }, undefined, 2)}\n`, 0o600),
  };
}

async function readText(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > maxBytes) throw new RangeError('a file is too large');
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
