import type { Metrics } from './metrics.ts';

export const METRIC_TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** One number of a family; a histogram has samples of three names. */
export interface MetricSample {
  readonly name: string;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  /** As Prometheus writes it: JSON has neither NaN nor infinity. */
  readonly value: string;
}

/** What Prometheus calls a metric, with all its samples: a value, so that it can come from another role. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly samples: readonly MetricSample[];
}

interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
    readonly metricName?: string;
  }[];
}

/** All families of a registry, as they are now. */
export async function readFamilies(metrics: Metrics): Promise<MetricFamily[]> {
  const collected = (await metrics.getMetricsAsJSON()) as unknown as readonly Collected[];
  return collected.flatMap(({ name, help, type, values }) => {
    const known = METRIC_TYPES.find((one) => one === type);
    if (known === undefined) return [];
    const samples = values.map(({ value, labels, metricName }) => ({
      name: metricName ?? name,
      labels: Object.entries(labels).flatMap(([label, text]) =>
        text === undefined ? [] : [{ name: label, value: String(text) }],
      ),
      value: textOf(value),
    }));
    return [{ name, help, type: known, samples }];
  });
}

/** The Prometheus text format, version 0.0.4. */
export function renderFamilies(families: readonly MetricFamily[]): string {
  return families.map(renderFamily).join('');
}

function renderFamily({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map((sample) => {
    const labels = sample.labels.map((label) => `${label.name}="${escapeText(label.value).replaceAll('"', '\\"')}"`);
    return `${sample.name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${sample.value}\n`;
  });
  return `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function textOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
