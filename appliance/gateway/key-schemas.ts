import Type, { type Static } from 'typebox';
import { Count, Instant, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: keys, and what opens the node. */

const ProviderId = Type.String({
  description: 'Id of an enrolled provider.',
  pattern: '^[a-z0-9-]{1,40}$',
  examples: ['passphrase-1'],
});

const Generation = Type.Integer({ description: 'Which version of itself the key list is now.', minimum: 1 });

export const KeyList = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ examples: ['kek/1'] }),
          createdAt: Instant('When it was made.'),
          current: Type.Boolean(),
          provider: Type.String(),
          destroyedAt: Type.Optional(Instant('When it was destroyed.')),
        },
        strict,
      ),
    ),
    providers: Type.Array(
      Type.Object(
        {
          id: ProviderId,
          provider: Type.String({ examples: ['passphrase'] }),
          title: Type.String({ examples: ['a passphrase'] }),
          attended: Type.Boolean({ description: 'Whether somebody has to hand over a secret.' }),
          createdAt: Instant('When it was enrolled.'),
        },
        strict,
      ),
      { description: 'What opens the node.' },
    ),
    purposes: Type.Array(
      Type.Object(
        {
          purpose: Type.Union(
            [
              Type.Literal('index'),
              Type.Literal('audit-body'),
              Type.Literal('identity'),
              Type.Literal('rollup-db'),
              Type.Literal('backup'),
            ],
            { description: 'What it seals.' },
          ),
          state: Type.Union(
            [
              Type.Literal('first'),
              Type.Literal('kept'),
              Type.Literal('pending'),
              Type.Literal('replaced'),
              Type.Literal('added'),
            ],
            {
              description:
                'first: the root key was never replaced. kept: the same key under a later root key; whoever had an earlier root key reads what it seals. pending: another key is made, and what this one seals is still to be sealed by it. replaced: an earlier root key opens nothing of it. added: another key seals what is written from the next start on, and behind that start what is there.',
            },
          ),
        },
        strict,
      ),
      { description: 'Keys of the root key for everything but records.' },
    ),
  },
  { description: 'Key encryption keys, and what opens the node: names and ages, never the keys.', ...strict },
);
export type KeyList = Static<typeof KeyList>;

export const RotationResult = Type.Object(
  {
    from: Type.String({ examples: ['kek/1'] }),
    to: Type.String({ examples: ['kek/2'] }),
    rewrapped: Count('Data keys wrapped anew.'),
    generation: Generation,
  },
  { description: 'A new key encryption key is in use.', ...strict },
);
export type RotationResult = Static<typeof RotationResult>;

export const RetirementResult = Type.Object(
  {
    destroyed: Type.Array(Type.String({ examples: ['kek/1'] })),
    rewrapped: Count('Data keys that still had to be wrapped anew.'),
    generation: Generation,
  },
  { description: 'Key encryption keys that no record needed any more are destroyed.', ...strict },
);
export type RetirementResult = Static<typeof RetirementResult>;

export const RekeyState = Type.Object(
  {
    state: Type.Union(
      [
        Type.Literal('running'),
        Type.Literal('paused'),
        Type.Literal('failed'),
        Type.Literal('incomplete'),
        Type.Literal('done'),
      ],
      {
        description:
          'failed: it stopped at an error; incomplete: some versions could not be sealed, so the old keys are kept.',
      },
    ),
    target: Type.String({ description: 'The key encryption key that was made for it.', examples: ['kek/2'] }),
    startedAt: Instant('When it began.'),
    endedAt: Type.Optional(Instant('When it came to its end.')),
    load: Type.Integer({ minimum: 1, maximum: 100, description: 'Percent of the time that it works.' }),
    total: Count('Versions of records.'),
    done: Count('Those that are under new keys.'),
    failed: Count('Those that could not be sealed anew.'),
    bytes: Count('Plaintext bytes sealed since the node started.'),
    reason: Type.Optional(Type.String({ description: 'Code of the error that stopped it.' })),
  },
  { description: 'How far sealing every record under new keys has come.', ...strict },
);
export type RekeyState = Static<typeof RekeyState>;

export const RekeyAnswer = Type.Object(
  { rekey: Type.Union([RekeyState, Type.Null()]) },
  { description: 'The rekey that runs, or the last one; null: there was none.', ...strict },
);
export type RekeyAnswer = Static<typeof RekeyAnswer>;

export const ResolvedKeys = Type.Object(
  { from: Type.String(), to: Type.String(), generation: Generation },
  {
    description: 'The key list that lies on the disk is the one from now on, with a new key encryption key.',
    ...strict,
  },
);
export type ResolvedKeys = Static<typeof ResolvedKeys>;

export const ChangedProvider = Type.Object(
  { id: ProviderId, generation: Generation },
  { description: 'The enrolled, changed or removed provider.', ...strict },
);
export type ChangedProvider = Static<typeof ChangedProvider>;

export const ReplacedRoot = Type.Object(
  { providers: Type.Array(ProviderId, { description: 'What opens the new root key.' }), generation: Generation },
  { description: 'The root key is another one.', ...strict },
);
export type ReplacedRoot = Static<typeof ReplacedRoot>;

export const UnlockResult = Type.Object(
  { state: Type.Literal('unlocked') },
  { description: 'The node is unlocked.', ...strict },
);
