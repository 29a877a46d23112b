import { renderHtml } from './html/page.ts';
import { renderJunit } from './junit/junit.ts';
import { renderOscal } from './oscal/oscal.ts';
import { renderJson } from './parse-report.ts';
import type { Report } from './report.ts';
import { renderSarif } from './sarif/sarif.ts';
import { renderTable } from './terminal/table.ts';
import type { Screen } from './terminal/text.ts';

type Render = (report: Report, screen: Screen) => string;

const RENDER = {
  table: (report, screen) => `${renderTable(report, screen)}\n`,
  json: renderJson,
  sarif: renderSarif,
  junit: renderJunit,
  html: renderHtml,
  oscal: renderOscal,
} as const satisfies Record<string, Render>;

export type ReportFormat = keyof typeof RENDER;

/** Every format that a report can be written in. */
export const REPORT_FORMATS = Object.keys(RENDER) as readonly ReportFormat[];

/** The whole report in a format, as a file would hold it. The screen matters to the table alone. */
export function renderReport(report: Report, format: ReportFormat, screen: Screen): string {
  return RENDER[format](report, screen);
}
