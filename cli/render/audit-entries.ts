import type { AuditEntries } from '../../appliance/gateway/audit-schemas.ts';
import { type AuditFacts, auditFacts } from '../../protocol/merkle/audit-facts.ts';
import { type Column, printable, renderTable } from './table.ts';

/** So many digits of a record id are shown; `--record` takes them again. */
const SHORT_RECORD = 8;

const COLUMNS: readonly Column[] = [
  { title: 'LEAF', alignRight: true },
  { title: 'TIME' },
  { title: 'EVENT' },
  { title: 'OUTCOME' },
  { title: 'RECORD' },
  { title: 'WHO' },
  { title: 'FROM' },
];
/** Of a table that grows line by line; a longer cell pushes its line out. */
const WIDTHS = [7, 24, 18, 7, 11, 24, 15];

type Entry = AuditEntries['entries'][number];

export function renderEntries(entries: readonly Entry[]): string {
  return renderTable(COLUMNS, entries.map(cells));
}

/** The heading and the lines of a list that nobody knows the end of. */
export const followHeading = (): string => line(COLUMNS.map(({ title }) => title));
export const followLine = (entry: Entry): string => line(cells(entry));

function line(texts: readonly string[]): string {
  return texts
    .map((text, i) => (COLUMNS[i]?.alignRight === true ? text.padStart(WIDTHS[i] ?? 0) : text.padEnd(WIDTHS[i] ?? 0)))
    .join('  ')
    .trimEnd();
}

function cells({ index, leaf, body }: Entry): string[] {
  const { time, type, outcome } = (leaf ?? {}) as Record<string, unknown>;
  const facts = auditFacts(body);
  return [
    String(index),
    ...[time, type, outcome].map((value) => printable(String(value ?? ''))),
    printable(recordOf(facts)),
    printable(body === undefined ? '(erased)' : whoOf(facts)),
    printable(facts.address ?? ''),
  ];
}

/** The record with its version where that is not the first one. */
function recordOf({ record, version }: AuditFacts): string {
  if (record === undefined) return '';
  return version === undefined || version === 1
    ? record.slice(0, SHORT_RECORD)
    : `${record.slice(0, SHORT_RECORD)} v${version}`;
}

function whoOf({ name, subject, tokenId }: AuditFacts): string {
  return name ?? subject ?? tokenId ?? '';
}
