import { type Command, Option } from 'commander';
import { type RecordMeta, RecordPage } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { formatBytes } from '../render/quantities.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

/** As many as the node gives at a time: each page is a leaf of the audit log. */
const PAGE_RECORDS = 1_000;
const DEFAULT_RECORDS = 50;

interface LsOptions {
  readonly label?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly cursor?: string;
  readonly newest?: boolean;
}

export function registerLs(program: Command, terminal: Terminal): void {
  addVerb(program, 'ls', {
    summary: 'list the records',
    examples: ['ls', 'ls --newest', 'ls --label cardiology', 'ls --all --json | jq ".records | length"'],
  })
    .addOption(new Option('-l, --label <label>', 'only records with this label'))
    .addOption(new Option('-n, --limit <n>', 'at most so many').argParser(parseCount).default(DEFAULT_RECORDS))
    .addOption(new Option('--newest', 'the newest first'))
    .addOption(new Option('--all', 'every record'))
    .addOption(new Option('--cursor <cursor>', 'go on where an earlier list ended'))
    .action(action(terminal, ls));
}

async function ls(call: Call<LsOptions>): Promise<void> {
  const { options, output } = call;
  await withNode(call, async (client) => {
    const records: RecordMeta[] = [];
    let cursor = options.cursor;
    let damaged = 0;
    const wanted = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
    do {
      const query = new URLSearchParams({ limit: String(Math.min(PAGE_RECORDS, wanted - records.length)) });
      if (options.newest === true) query.set('order', 'newest');
      if (options.label !== undefined) query.set('label', options.label);
      if (cursor !== undefined) query.set('cursor', cursor);
      const page = await client.json(RecordPage, 'GET', `/v1/records?${query}`);
      records.push(...page.records);
      damaged += page.damaged ?? 0;
      cursor = page.cursor;
    } while (cursor !== undefined && records.length < wanted);
    const listed = { records, ...(cursor !== undefined && { cursor }), ...(damaged > 0 && { damaged }) };
    output.result(listed, () => renderRecords(records));
    if (damaged > 0)
      output.note(`${damaged} more cannot be shown: their entries are damaged; \`nectar-byon fsck\` names them`);
    if (cursor !== undefined)
      output.note(`more follow: --all, or ${options.newest === true ? '--newest ' : ''}--cursor ${cursor}`);
  });
}

export function renderRecords(records: readonly RecordMeta[]): string {
  if (records.length === 0) return 'no records';
  return renderTable(
    [
      { title: 'RECORD' },
      { title: 'VER', alignRight: true },
      { title: 'SIZE', alignRight: true },
      { title: 'TYPE' },
      { title: 'STORED' },
      { title: 'ON CHAIN' },
      { title: 'LABELS' },
      { title: 'NAME' },
    ],
    records.map((record) => [
      record.recordId,
      String(record.version),
      formatBytes(record.bytes),
      printable(record.contentType),
      printable(record.createdAt.slice(0, 16).replace('T', ' ')),
      record.anchored === true ? 'yes' : 'not yet',
      record.labels.map(printable).join(','),
      printable(record.name ?? ''),
    ]),
  );
}
