import { type DestinationStream, type Logger as PinoLogger, type LoggerOptions as PinoOptions, pino } from 'pino';

/**
 * The injected logger: `(data, fixed message)`. error = a human must act, warn = degraded, info = outcome, debug = step.
 * Never personal data, never a secret, no text from the network above debug. A log line is not evidence: audit events are.
 */
export type Logger = Pick<PinoLogger, 'error' | 'warn' | 'info' | 'debug'> & {
  child(bindings: { service: string }): Logger;
};

/** Paths whose values are replaced, as a second line of defence behind never logging them. */
const REDACTED = [
  '*.authorization',
  '*.token',
  '*.passphrase',
  '*.secret',
  '*.privateKey',
  'token',
  'passphrase',
  'secret',
];

export interface LoggerOptions {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

/** One JSON object a line, ISO time. */
export function loggerSettings({ level }: LoggerOptions): PinoOptions {
  return {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
}

/** Creates a root logger, to stdout unless a destination is given. */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  return pino(loggerSettings(options), destination ?? standardOutput());
}

/** What waits in memory while stdout takes nothing; what comes beyond it is dropped. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Stdout as a place that may fail: it is a file on a disk that another program can fill, or a terminal that is closed. Lines wait until
 * it takes them again; a log that cannot be written ends no node.
 */
export function standardOutput(fd = 1): DestinationStream {
  const out = pino.destination({ dest: fd, sync: true, maxLength: KEPT_BYTES });
  out.on('error', () => undefined);
  return out;
}
