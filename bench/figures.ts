/** What every benchmark over a real node does with its figures. */

export const MIB = 1024 * 1024;

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const round = (value: number): number => Number(value.toPrecision(3));

/** Ours and the peer's of the same turns: the ratio is the median of the turns', with the lowest and the highest. */
export interface Turns {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/**
 * Prints one JSON line of a figure of which more is better.
 *
 * @param more facts of this benchmark alone
 */
export function printTurns(
  { name, peerName, unit }: { readonly name: string; readonly peerName: string; readonly unit: string },
  { ours, peer }: Turns,
  more: object = {},
): void {
  const ratios = ours.map((value, turn) => value / (peer[turn] ?? Number.NaN));
  const line = {
    name,
    ours: round(median(ours)),
    peer: round(median(peer)),
    peerName,
    ratio: round(median(ratios)),
    lowest: round(Math.min(...ratios)),
    highest: round(Math.max(...ratios)),
    unit,
    ...more,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
