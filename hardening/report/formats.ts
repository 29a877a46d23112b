import { renderHtml } from './html/page.ts';
import { renderJunit } from './junit/junit.ts';
import { renderOscal } from './oscal/oscal.ts';
import { renderJson } from './parse-report.ts';
import type { Report } from './report.ts';
import { renderSarif } from './sarif/sarif.ts';
import type { Selection } from './selection.ts';
import { renderTable } from './terminal/table.ts';
import type { Screen } from './terminal/text.ts';

/** How a report is shown. */
export interface View {
  /** Matters to the table alone. */
  readonly screen: Screen;
  readonly only?: Selection;
}

type Render = (report: Report, view: View) => string;

const RENDER = {
  table: (report, { screen, only }) => `${renderTable(report, screen, only)}\n`,
  json: renderJson,
  sarif: (report, { only }) => renderSarif(report, only),
  junit: renderJunit,
  html: (report, { only }) => renderHtml(report, only),
  oscal: renderOscal,
} as const satisfies Record<string, Render>;

/** The formats that may show a part: those that people read, and the one whose readers take each result for an alert. */
export const PARTIAL_FORMATS: readonly ReportFormat[] = ['table', 'html', 'sarif'];

export type ReportFormat = keyof typeof RENDER;

/** Every format that a report can be written in. */
export const REPORT_FORMATS = Object.keys(RENDER) as readonly ReportFormat[];

/** The report in a format, as a file would hold it. */
export function renderReport(report: Report, format: ReportFormat, view: View): string {
  return RENDER[format](report, view);
}
