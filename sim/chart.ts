/** A line chart as SVG: a title, two axes with their first and last value, a line for each series. Readable on light and dark. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

const WIDTH = 640;
const HEIGHT = 280;
const MARGIN = { left: 60, right: 130, top: 40, bottom: 40 } as const;
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd'];

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="#777" font-family="sans-serif" font-size="12" ${more}>${content}</text>`;

const short = (value: number): string => `${Number(value.toPrecision(3))}`;

/** The text of an SVG file. Points are in the order in which they are joined. */
export function drawChart({ title, xLabel, series }: Chart): string {
  const all = series.flatMap(({ points }) => points);
  const [left, right] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const top = Math.max(...all.map(([, y]) => y)) || 1;
  const bottomY = HEIGHT - MARGIN.bottom;
  const rightX = WIDTH - MARGIN.right;
  const xOf = (x: number): number => MARGIN.left + ((x - left) / (right - left || 1)) * (rightX - MARGIN.left);
  const yOf = (y: number): number => bottomY - (y / top) * (bottomY - MARGIN.top);
  const lines = series.map(({ name, points }, i) => {
    const path = points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' ');
    const colour = COLOURS[i % COLOURS.length];
    const legend = `<text x="${rightX + 10}" y="${MARGIN.top + 18 * i}" fill="${colour}" font-family="sans-serif" font-size="12">${name}</text>`;
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${legend}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottomY}H${rightX}" fill="none" stroke="#777"/>`,
    text(MARGIN.left, 20, title, 'font-weight="bold"'),
    text(MARGIN.left, HEIGHT - 20, short(left)),
    text(rightX, HEIGHT - 20, short(right), 'text-anchor="end"'),
    text((MARGIN.left + rightX) / 2, HEIGHT - 8, xLabel, 'text-anchor="middle"'),
    text(MARGIN.left - 6, bottomY, '0', 'text-anchor="end"'),
    text(MARGIN.left - 6, MARGIN.top + 4, short(top), 'text-anchor="end"'),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
