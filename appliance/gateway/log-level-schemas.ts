import Type, { type Static } from 'typebox';
import { MAX_LEVEL_SECONDS } from '../telemetry/index.ts';
import { Instant, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: how the roles log. */

const Level = Type.Union([Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')], {
  description: 'Nothing below debug exists: no level writes a secret.',
  examples: ['debug'],
});
const Configured = Type.String({ description: 'As configured (`log.level`).', examples: ['info'] });
const Component = Type.String({ examples: ['p2p'] });
const until = Instant('When it is as configured again.');

export const ChangedLogLevel = Type.Object(
  {
    role: Type.String({ examples: ['store'] }),
    component: Type.Optional(Component),
    level: Level,
    configured: Configured,
    until,
  },
  { description: 'A role, or a component of it, that logs otherwise than configured.', ...strict },
);

export const LogLevelList = Type.Object(
  {
    roles: Type.Array(
      Type.Object(
        {
          role: Type.String({ examples: ['store'] }),
          state: Type.Optional(
            Type.Object(
              {
                configured: Configured,
                components: Type.Array(Component),
                changes: Type.Array(Type.Object({ component: Type.Optional(Component), level: Level, until }, strict)),
              },
              { description: 'Absent: the role did not answer.', ...strict },
            ),
          ),
        },
        strict,
      ),
    ),
  },
  { description: 'How each role logs.', ...strict },
);
export type LogLevelList = Static<typeof LogLevelList>;

export const LogLevelRequest = Type.Object(
  {
    level: Level,
    target: Type.Optional(
      Type.String({ description: 'A role or a component; absent: the whole node.', minLength: 1, maxLength: 64 }),
    ),
    seconds: Type.Integer({ description: 'For how long.', minimum: 1, maximum: MAX_LEVEL_SECONDS, examples: [600] }),
  },
  { description: 'Another level, for a while.', ...strict },
);
export type LogLevelRequest = Static<typeof LogLevelRequest>;
