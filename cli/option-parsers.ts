import { NectarError } from '../protocol/errors.ts';
import type { ChosenPorts } from './provision/process/devnet-ports.ts';
import { parseDuration } from './render/quantities.ts';

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

/** `l1=8546`, after those `before` it. */
export function parseDevnetPort(text: string, before: ChosenPorts = {}): ChosenPorts {
  const [, part, digits] = /^(l1|rpc|p2p)=(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (part === undefined || port < 1 || port > 65_535)
    throw new NectarError('CLI_USAGE', { problem: `${text} is not l1, rpc or p2p with a port, as in l1=8546` });
  return { ...before, [part]: port };
}

/** `10m`, `2h`, `3d` ago, or a date or instant (ISO 8601): milliseconds of Unix time. A date alone begins at midnight UTC. */
export function parseMoment(text: string, now: number): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(at)) {
    const problem = `${text} is neither an age such as 10m, 2h or 3d, nor a time such as 2026-11-30 or 2026-11-30T08:15:00Z`;
    throw new NectarError('CLI_USAGE', { problem });
  }
  return at;
}

const SIZE_UNITS = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** `none`, or a number with a unit: `500MiB`, `1.5TiB`; in bytes. At most 1024 TiB. */
export function parseSize(text: string): number {
  if (text === 'none') return 0;
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (SIZE_UNITS[unit as keyof typeof SIZE_UNITS] ?? Number.NaN));
  if (!(bytes > 0 && bytes <= 1024 ** 5))
    throw new NectarError('CLI_USAGE', {
      problem: `${text} is neither \`none\` nor a size such as 500MiB, 100GiB or 2TiB`,
    });
  return bytes;
}

/** A TCP port; 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new NectarError('CLI_USAGE', { problem: `${text} is not a port from 0 to 65535` });
  return port;
}
