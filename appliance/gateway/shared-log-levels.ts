import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import {
  type LevelChange,
  type Logger,
  type LogLevels,
  MAX_LEVEL_SECONDS,
  type RoleLogLevels,
  RUNTIME_LEVELS,
  type RuntimeLevel,
} from '../telemetry/index.ts';
import type { KeptText } from './kept-text.ts';
import { strict } from './schema-parts.ts';

/** What gateways were told: until when, in milliseconds since 1970. */
const Wishes = Type.Array(
  Type.Object(
    {
      component: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
      level: Type.Unsafe<RuntimeLevel>(Type.Union(RUNTIME_LEVELS.map((level) => Type.Literal(level)))),
      until: Type.Integer({ minimum: 0 }),
    },
    strict,
  ),
  { maxItems: 65 },
);
type Wishes = Static<typeof Wishes>;

/** Of a change that others' changes come before. */
const MAX_TRIES = 16;

export interface SharedLogLevelsDeps {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The log levels of all gateways of a node, which are one role to its owner: the one that is asked writes down what it was told, every other
 * one does the same as soon as it sees the text, and one that starts meanwhile too. No key protects the text: the worst that another one
 * does is more or less log for a day.
 */
export function shareLogLevels(levels: LogLevels, text: KeptText, deps: SharedLogLevelsDeps): RoleLogLevels {
  let applied = '[]';

  const stillWanted = (wishes: Wishes): Wishes => wishes.filter(({ until }) => until > deps.now());
  const secondsLeft = (until: number): number =>
    Math.min(Math.max(Math.ceil((until - deps.now()) / 1000), 1), MAX_LEVEL_SECONDS);
  const parse = (found: string | undefined): Wishes => {
    if (found === undefined) return [];
    try {
      const wishes: unknown = JSON.parse(found);
      if (Check(Wishes, wishes)) return wishes;
    } catch {
      // Not even JSON.
    }
    deps.log.warn({}, 'the log levels that gateways share are damaged: none is taken from them');
    return [];
  };
  const apply = (wishes: Wishes): void => {
    const wanted = JSON.stringify(wishes);
    if (wanted === applied) return;
    applied = wanted;
    if (levels.read().changes.length > 0) levels.reset();
    for (const { component, level, until } of stillWanted(wishes)) {
      try {
        levels.change({ ...(component !== undefined && { component }), level, seconds: secondsLeft(until) });
      } catch (error) {
        if (!isNectarError(error, 'NODE_LOG_TARGET_UNKNOWN')) throw error;
        deps.log.debug({ component }, 'no such component in this gateway');
      }
    }
  };
  const read = async (): Promise<{ readonly wishes: Wishes; readonly version: string }> => {
    const found = await text.read();
    return { wishes: parse(found.text), version: found.version };
  };
  const write = async (next: (before: Wishes) => Wishes): Promise<void> => {
    for (let tried = 1; ; tried += 1) {
      const { wishes, version } = await read();
      const wanted = next(stillWanted(wishes));
      try {
        await text.write(JSON.stringify(wanted), version);
        return apply(wanted);
      } catch (error) {
        if (!isNectarError(error, 'NODE_SHELF_CHANGED') || tried >= MAX_TRIES) throw error;
      }
    }
  };

  text.onChange(async () => apply((await read()).wishes));
  return {
    role: 'gateway',
    async read() {
      // While the store is away, what this gateway does is all that can be told.
      await text.confirm().catch(() => undefined);
      return levels.read();
    },
    async change({ component, level, seconds }: LevelChange) {
      const { components } = levels.read();
      if (component !== undefined && !components.includes(component))
        throw new NectarError('NODE_LOG_TARGET_UNKNOWN', { target: component, known: components });
      const wish = { ...(component !== undefined && { component }), level, until: deps.now() + seconds * 1000 };
      // The whole role: what single components were told before is over.
      await write((before) =>
        component === undefined ? [wish] : [...before.filter((one) => one.component !== component), wish],
      );
      return levels.read();
    },
    async reset() {
      await write(() => []);
      return levels.read();
    },
  };
}
