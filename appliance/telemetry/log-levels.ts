import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { NectarError } from '../../protocol/errors.ts';
import { type Logger, type LoggerOptions, loggerSettings, standardOutput } from './logger.ts';

/** What a log can be told while it runs: errors are always written, and nothing below debug exists. */
export const RUNTIME_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type RuntimeLevel = (typeof RUNTIME_LEVELS)[number];

/** A level is changed for a while, never for good: `log.level` of the configuration is for that. */
export const MAX_LEVEL_SECONDS = 24 * 3600;

export interface LevelChange {
  /** Of one component; without it, of all of them. */
  readonly component?: string;
  readonly level: RuntimeLevel;
  readonly seconds: number;
}

/** How a process logs now. */
export interface LogLevelState {
  readonly configured: LoggerOptions['level'];
  readonly components: readonly string[];
  readonly changes: readonly { readonly component?: string; readonly level: RuntimeLevel; readonly until: string }[];
}

/** The levels of one process. */
export interface LogLevels {
  read(): LogLevelState;
  /** @throws NectarError NODE_LOG_TARGET_UNKNOWN */
  change(wanted: LevelChange): LogLevelState;
  /** Every level as configured. */
  reset(): LogLevelState;
}

export interface LevelClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after that time, and keeps no process alive for it; returns what cancels it. */
  after(ms: number, call: () => void): () => void;
}

const SYSTEM_CLOCK: LevelClock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};

interface Running {
  readonly level: RuntimeLevel;
  readonly until: number;
  readonly cancel: () => void;
}

/** The process's root logger, and what changes its levels and those of its children while it runs. */
export function createLeveledLogger(
  options: LoggerOptions,
  destination: DestinationStream = standardOutput(),
  clock: LevelClock = SYSTEM_CLOCK,
): { readonly log: Logger; readonly levels: LogLevels } {
  const children = new Map<string, PinoLogger[]>();
  const running = new Map<string | undefined, Running>();
  const levelOf = (component?: string): LoggerOptions['level'] =>
    (running.get(component) ?? running.get(undefined))?.level ?? options.level;
  const onChild = (child: PinoLogger): void => {
    const { service } = child.bindings();
    if (typeof service !== 'string') return;
    children.set(service, [...(children.get(service) ?? []), child]);
    child.level = levelOf(service);
  };
  const log = pino({ ...loggerSettings(options), onChild } as pino.LoggerOptions, destination) as PinoLogger;
  const apply = (): void => {
    log.level = levelOf();
    for (const [service, loggers] of children) for (const child of loggers) child.level = levelOf(service);
  };
  const end = (component: string | undefined): void => {
    running.get(component)?.cancel();
    running.delete(component);
  };
  const read = (): LogLevelState => ({
    configured: options.level,
    components: [...children.keys()].sort(),
    changes: [...running].map(([component, { level, until }]) => ({
      ...(component !== undefined && { component }),
      level,
      until: new Date(until).toISOString(),
    })),
  });
  return {
    log,
    levels: {
      read,
      change({ component, level, seconds }) {
        if (component !== undefined && !children.has(component))
          throw new NectarError('NODE_LOG_TARGET_UNKNOWN', { target: component, known: [...children.keys()].sort() });
        // The whole process: what single components were told before is over.
        for (const told of component === undefined ? [...running.keys()] : [component]) end(told);
        const cancel = clock.after(seconds * 1000, () => {
          end(component);
          apply();
          log.info({ component: component ?? 'all' }, 'log level as configured again');
        });
        running.set(component, { level, until: clock.now() + seconds * 1000, cancel });
        apply();
        log.info({ component: component ?? 'all', level, seconds }, 'log level changed');
        return read();
      },
      reset() {
        for (const component of [...running.keys()]) end(component);
        apply();
        log.info({ component: 'all' }, 'log level as configured again');
        return read();
      },
    },
  };
}
