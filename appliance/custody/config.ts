import Type, { type Static } from 'typebox';

const GIB = 1024 ** 3;

/** Options of the custody service: backup repositories of other nodes. */
export const custodyConfig = Type.Object({
  maxBytesPerRepository: Type.Integer({
    default: 256 * GIB,
    minimum: 0,
    description: 'Most bytes of one backup repository that this node keeps for another node.',
  }),
  maxRepositories: Type.Integer({
    default: 16,
    minimum: 0,
    maximum: 1_000,
    description: 'Backup repositories that this node keeps for other nodes; 0 takes none.',
  }),
  minFreeBytes: Type.Integer({
    default: GIB,
    minimum: 0,
    description:
      'Nothing is taken into them while the volume has less free space than this, so that the own records have room.',
  }),
});
export type CustodyConfig = Static<typeof custodyConfig>;
