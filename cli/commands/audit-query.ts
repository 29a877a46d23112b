import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { AuditEntries } from '../../appliance/gateway/audit-schemas.ts';
import { type AuditConditionOptions, addAuditConditions, readConditions } from '../audit-conditions.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { followHeading, followLine, renderEntries } from '../render/audit-entries.ts';
import { toJson } from '../render/output.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

const TAIL_ENTRIES = 20;
const QUERY_ENTRIES = 100;
const PAGE_ENTRIES = 500;
const FOLLOW_INTERVAL_MS = 1_000;

export function registerAuditQuery(group: Command, terminal: Terminal): void {
  addVerb(group, 'tail', {
    summary: 'show the newest entries (and log that you did)',
    examples: ['audit tail', 'audit tail --follow', 'audit tail -n 100 --json'],
  })
    .addOption(new Option('-n, --lines <n>', 'how many').argParser(parseCount).default(TAIL_ENTRIES))
    .addOption(new Option('-f, --follow', 'go on as entries come, until Ctrl-C'))
    .action(action(terminal, tail));
  addAuditConditions(
    addVerb(group, 'query', {
      summary: 'who did what to which record: search the log, newest first',
      about:
        'All conditions must hold. --patient finds what happened to records that bore the label at that time, or bear it now. --for-disclosures shows every reading and export, of which an accounting of disclosures (45 CFR 164.528) keeps those that were not for treatment, payment or operations: the node does not know which. The search is itself logged, once.',
      examples: [
        'audit query --record 0f1e2d3c',
        'audit query --patient 4711 --since 2026-01-01 --for-disclosures',
        'audit query --actor dr-jones --type record.read --all --json',
      ],
    }),
  )
    .addOption(new Option('-n, --limit <n>', 'at most this many').argParser(parseCount).default(QUERY_ENTRIES))
    .addOption(new Option('--all', 'every entry'))
    .action(action(terminal, query));
}

type Entry = AuditEntries['entries'][number];

interface QueryOptions extends AuditConditionOptions {
  readonly limit: number;
  readonly all?: boolean;
}

async function query(call: Call<QueryOptions>): Promise<void> {
  const { options, output, terminal } = call;
  const conditions = readConditions(options);
  const wanted = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  const found = await showWork(terminal, output, 'searching the log', (say) =>
    withNode(call, (client) => search(client, { conditions, wanted, say })),
  );
  const { entries, undecided } = found;
  output.result({ entries, undecided, complete: found.complete }, () =>
    entries.length === 0 ? 'no such entries' : renderEntries(entries),
  );
  if (!found.complete) output.note('there may be more: --all, or a larger --limit');
  if (undecided > 0)
    output.note(`${undecided} more may have been meant: their bodies are erased after their retention`);
}

interface Search {
  readonly conditions: Record<string, string>;
  readonly wanted: number;
  readonly say: (text: string) => void;
}

interface Searched {
  /** Newest first. */
  readonly entries: readonly Entry[];
  readonly undecided: number;
  /** Whether the log has no more of them. */
  readonly complete: boolean;
  /** Leaves of the log when the reading began; the reading itself is the next one. */
  readonly size: number;
}

/** Newest first, page by page, until enough are found or the log has no more. */
async function search(client: Client, { conditions, wanted, say }: Search): Promise<Searched> {
  const entries: Entry[] = [];
  let undecided = 0;
  let size: number | undefined;
  let cursor: string | undefined;
  do {
    const limit = String(Math.min(PAGE_ENTRIES, wanted - entries.length));
    const page = await entriesPage(client, cursor === undefined ? { ...conditions, limit } : { cursor, limit });
    entries.push(...page.entries.toReversed());
    undecided += page.undecided;
    size ??= page.to;
    cursor = page.cursor;
    say(`searching the log: ${entries.length} found, ${size - page.from} of ${size} entries looked at`);
  } while (cursor !== undefined && entries.length < wanted);
  return { entries, undecided, complete: cursor === undefined, size };
}

function entriesPage(client: Client, parameters: Record<string, string>): Promise<AuditEntries> {
  return client.json(AuditEntries, 'GET', `/v1/audit/entries?${new URLSearchParams(parameters)}`);
}

interface TailOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

async function tail(call: Call<TailOptions>): Promise<void> {
  const { options, output } = call;
  await withNode(call, async (client) => {
    const found = await search(client, { conditions: {}, wanted: options.lines, say: () => undefined });
    const entries = found.entries.toReversed();
    if (options.follow === true) return await follow(call, client, { entries, size: found.size });
    output.result({ entries }, () => renderEntries(entries));
  });
}

/** Ends with Ctrl-C, which is no error here. With --json an entry a line. */
async function follow(
  { output, terminal }: Call<TailOptions>,
  client: Client,
  first: { readonly entries: readonly Entry[]; readonly size: number },
): Promise<void> {
  const show = (entries: readonly Entry[]): void => {
    for (const entry of entries) terminal.stdout.write(`${output.json ? toJson(entry) : followLine(entry)}\n`);
  };
  if (!output.json) terminal.stdout.write(`${followHeading()}\n`);
  show(first.entries);
  // Two readings stand in the log: this one, and the one of the entries before it, which is not shown.
  let parameters: Record<string, string> = { after: String(first.size + 1) };
  while (!terminal.signal.aborted) {
    const page = await entriesPage(client, { ...parameters, limit: String(PAGE_ENTRIES) });
    show(page.entries);
    if (page.cursor === undefined) return;
    parameters = { cursor: page.cursor };
    if (page.entries.length < PAGE_ENTRIES)
      await sleep(FOLLOW_INTERVAL_MS, undefined, { signal: terminal.signal }).catch(() => undefined);
  }
}
