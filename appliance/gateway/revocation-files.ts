import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { KeptText } from './kept-text.ts';

export const MAX_FLOORS_BYTES = 64 * 1024;
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

export interface RevocationTexts {
  /** The lists, PEM. */
  readonly lists: KeptText;
  /** What they may not go back behind. */
  readonly floors: KeptText;
}

/** A change names what it was made from, so that of two gateways none undoes what the other has taken. */
export function createRevocationFiles({ lists, floors }: RevocationTexts) {
  const version = { lists: '', floors: '' };
  return {
    shared: lists.shared,
    /** Empty where there is none. Throws for what cannot be read. */
    async readLists(): Promise<string> {
      const found = await lists.read();
      version.lists = found.version;
      return found.text ?? '';
    },
    async readFloors(): Promise<Floors> {
      const found = await floors.read();
      version.floors = found.version;
      if (found.text === undefined) return {};
      const value: unknown = JSON.parse(found.text);
      if (!shape.Check(value)) throw new RangeError('the numbers of lists that were taken have another shape');
      return value.floors;
    },
    async writeLists(pem: string): Promise<void> {
      version.lists = await lists.write(pem, version.lists);
    },
    async writeFloors(next: Floors): Promise<void> {
      version.floors = await floors.write(
        `${JSON.stringify({ version: 1, floors: next }, undefined, 2)}\n`,
        version.floors,
      );
    },
    /** Changes when somebody puts other texts in place. */
    stamp: async (): Promise<string> => `${await lists.stamp()} ${await floors.stamp()}`,
    onChange(listener: () => Promise<void>): void {
      lists.onChange(listener);
      floors.onChange(listener);
    },
  };
}
