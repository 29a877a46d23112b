const LINE = /^((?:nectar|process|nodejs)_[a-z0-9_]{1,100})(?:\{([^}]{0,500})\})? (-?[0-9.e+-]{1,32}|NaN|[+-]Inf)$/;
const LABEL = /^([a-z_]{1,32})="([a-z0-9_.+-]{0,40})"$/;
/** Labels whose values our own code chooses from a fixed set. */
const LABELS = new Set([
  'role',
  'head',
  'verdict',
  'operation',
  'outcome',
  'provider',
  'le',
  'quantile',
  'kind',
  'status',
  'method',
  'type',
  'direction',
]);

/** The lines of a Prometheus text that are ours, with the labels that are known; any other label takes its line with it. */
export function metricLines(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = labels === '' ? [] : labels.split(',').map((pair) => LABEL.exec(pair));
    if (pairs.some((pair) => pair === null || !LABELS.has(pair[1] ?? ''))) return [];
    return [labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`];
  });
}
