import { type Command, Option } from 'commander';
import { parseAuditFilter } from '../protocol/merkle/audit-filter.ts';

/** The conditions of `audit query` and `audit export`, as they are typed. */
export interface AuditConditionOptions {
  readonly record?: string;
  readonly patient?: string;
  readonly actor?: string;
  readonly since?: string;
  readonly until?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly forDisclosures?: boolean;
}

export function addAuditConditions(verb: Command): Command {
  return verb
    .addOption(new Option('-r, --record <id>', 'what happened to this record; the first 6 digits will do'))
    .addOption(new Option('--patient <ref>', 'to records labelled patient=<ref> or Patient/<ref>'))
    .addOption(new Option('--actor <who>', 'by this subject, token id or name'))
    .addOption(new Option('--since <time>', 'not before this date or instant (ISO 8601)'))
    .addOption(new Option('--until <time>', 'before this date or instant'))
    .addOption(new Option('--type <event>', 'events of this type (record.read) or family (record)'))
    .addOption(new Option('--outcome <outcome>', 'success or failure').choices(['success', 'failure']))
    .addOption(new Option('--for-disclosures', 'only what let content of a record leave the node'));
}

/** The conditions as the API takes them. @throws NectarError AUDIT_FILTER_INVALID, before anything is asked */
export function readConditions({ forDisclosures, ...options }: AuditConditionOptions): Record<string, string> {
  const { record, patient, actor, since, until, type, outcome } = options;
  const given = { record: record?.toLowerCase(), patient, actor, since, until, type, outcome };
  const filter = parseAuditFilter({
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(forDisclosures === true && { disclosures: true }),
  });
  return Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, String(value)]));
}
