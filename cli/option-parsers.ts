import { NectarError } from '../protocol/errors.ts';

/** Parsers of option values: each returns the value or throws CLI_USAGE. */

export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new NectarError('CLI_USAGE', { problem: `${text} is not a number from 1 up` });
  return Number(text);
}

export function parseWhole(text: string): number {
  if (!/^(0|[1-9]\d{0,3})$/.test(text))
    throw new NectarError('CLI_USAGE', { problem: `${text} is not a number from 0 to 9999` });
  return Number(text);
}

export function parseBlockNumber(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text))
    throw new NectarError('CLI_USAGE', { problem: `${text} is not a block number` });
  return Number(text);
}

/** A TCP port; 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new NectarError('CLI_USAGE', { problem: `${text} is not a port from 0 to 65535` });
  return port;
}
