import { NectarError } from '../../protocol/errors.ts';
import { parseDuration } from '../render/quantities.ts';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** What divides a day, a day, or a week: cron knows no others. */
const INTERVALS: Readonly<Record<number, string>> = {
  ...Object.fromEntries([1, 2, 3, 4, 6, 8, 12].map((hours) => [hours * HOUR_SECONDS, `17 */${hours} * * *`])),
  [DAY_SECONDS]: '17 3 * * *',
  [7 * DAY_SECONDS]: '17 3 * * 0',
};

/** `24h` and `7d` in seconds, or `off`. @throws NectarError CLI_USAGE */
export function parseEvery(text: string): number | 'off' {
  if (text === 'off') return text;
  const seconds = (parseDuration(text) ?? 0) / 1000;
  if (INTERVALS[seconds] === undefined) {
    throw new NectarError('CLI_USAGE', { problem: `${text} is none of 1h, 2h, 3h, 4h, 6h, 8h, 12h, 24h, 7d, off` });
  }
  return seconds;
}

/** When cron starts it: some minutes past the hour, when fewer others do. */
export function cronTime(everySeconds: number): string {
  const time = INTERVALS[everySeconds];
  if (time === undefined) throw new RangeError(`no interval: ${everySeconds}`);
  return time;
}
