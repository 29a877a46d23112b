import { type Command, Option } from 'commander';
import { type RecordMeta, RecordPage } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { shortIds } from '../record-id.ts';
import { formatBytes } from '../render/quantities.ts';
import { type Column, printable, renderTable } from '../render/table.ts';
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
  readonly long?: boolean;
}

export function registerLs(program: Command, terminal: Terminal): void {
  addVerb(program, 'ls', {
    summary: 'list the records',
    examples: ['ls', 'ls --newest', 'ls --label cardiology', 'ls --all --json | jq ".records | length"'],
  })
    .addOption(new Option('-l, --label <label>', 'only records with this label'))
    .addOption(new Option('-n, --limit <n>', 'at most this many').argParser(parseCount).default(DEFAULT_RECORDS))
    .addOption(new Option('--newest', 'the newest first'))
    .addOption(new Option('--all', 'every record'))
    .addOption(new Option('--long', 'whole ids, versions and types; in a pipe they are always there'))
    .addOption(new Option('--cursor <cursor>', 'go on where an earlier list ended'))
    .action(action(terminal, ls));
}

async function ls(call: Call<LsOptions>): Promise<void> {
  const { options, output, terminal } = call;
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
    const isShort = terminal.stdout.isTTY === true && options.long !== true;
    output.result(listed, () => renderRecords(records, isShort));
    if (damaged > 0)
      output.note(`${damaged} more cannot be shown: their entries are damaged; \`nectar-byon fsck\` names them`);
    if (cursor !== undefined)
      output.note(`more follow: --all, or ${options.newest === true ? '--newest ' : ''}--cursor ${cursor}`);
  });
}

/** @param isShort for a terminal of 80 columns: beginnings of the ids, which every command takes, and no types */
export function renderRecords(records: readonly RecordMeta[], isShort = false): string {
  if (records.length === 0) return 'no records';
  const ids = records.map(({ recordId }) => recordId);
  const shown = isShort ? shortIds(ids) : ids;
  const columns: readonly (Column & { cell: (record: RecordMeta, i: number) => string; long?: true })[] = [
    { title: 'RECORD', cell: (_, i) => shown[i] ?? '' },
    { title: 'VER', alignRight: true, cell: ({ version }) => String(version), long: true },
    { title: 'SIZE', alignRight: true, cell: ({ bytes }) => formatBytes(bytes) },
    { title: 'TYPE', cell: ({ contentType }) => printable(contentType), long: true },
    { title: 'STORED (UTC)', cell: ({ createdAt }) => printable(createdAt.slice(0, 16).replace('T', ' ')) },
    { title: 'ON CHAIN', cell: ({ anchored }) => (anchored === true ? 'yes' : 'not yet') },
    { title: 'LABELS', cell: ({ labels }) => labels.map(printable).join(',') },
    { title: 'NAME', cell: ({ name = '' }) => printable(name) },
  ];
  const chosen = columns.filter(({ long }) => !isShort || long !== true);
  return renderTable(
    chosen,
    records.map((record, i) => chosen.map(({ cell }) => cell(record, i))),
  );
}
