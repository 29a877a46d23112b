import Type, { type Static } from 'typebox';

/** Options of the keys service. Secrets are file paths, never values. */
export const keysConfig = Type.Object({
  keyFile: Type.String({
    default: '',
    description:
      'Path of the key file that unlocks the node by itself, outside the home; empty: unlock by passphrase only.',
  }),
  unlockDelayMs: Type.Integer({
    default: 1_000,
    minimum: 0,
    maximum: 60_000,
    description: 'Wait after the first wrong passphrase in milliseconds; doubles with each further one.',
  }),
  unlockDelayMaxMs: Type.Integer({
    default: 60_000,
    minimum: 0,
    maximum: 3_600_000,
    description: 'Longest wait between two passphrase attempts in milliseconds.',
  }),
});

export type KeysConfig = Static<typeof keysConfig>;
