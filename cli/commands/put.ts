import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { commandSource } from '../command-source.ts';
import { leaving } from '../interruption.ts';
import { withNode } from '../node-client.ts';
import { collect } from '../option-parsers.ts';
import { type PutOutcome, putFiles } from '../put-files.ts';
import type { PutOptions } from '../put-one.ts';
import { type Found, putSources } from '../put-sources.ts';
import { findRecord, parseRecordId } from '../record-id.ts';
import { formatBytes } from '../render/quantities.ts';
import { printable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

/** As it goes into a header. */
const MEDIA_TYPE = /^[\x21-\x7e]+\/[\x20-\x7e]+$/;
/** Files that the last lines name; the others were said when it happened. */
const NAMED_AT_THE_END = 20;

interface PutCall extends PutOptions {
  readonly command?: boolean;
}

export function registerPut(program: Command, terminal: Terminal): void {
  addVerb(program, 'put <files...>', {
    summary: 'store files, folders, or what a command prints, as sealed records',
    about:
      'Every file becomes one record, encrypted before it touches the disk and logged in the audit log. A file that was reported as stored survives a crash; one that was not left nothing behind. A file that cannot be read or is refused ends nothing: the others are stored, it is named, and the exit code is 3. The same command run again stores what is missing: files that an earlier run stored, and that have not changed since, are not stored twice (--again does). Links inside folders are left out, and said. Files from 2 GiB on go in parts: when the connection breaks or the node restarts, they go on where they were, until ten minutes have passed without a byte more; and when this command itself is ended, the same command, run again within a day, goes on there too.\n\nOf a pipe nobody knows whether the program before it failed: with --command the node keeps nothing unless the command ends well and prints something.',
    examples: [
      'put report.pdf scan.dcm',
      'put --label cardiology --label 2026 ./incoming',
      'put --label-from-path --dry-run ./archive',
      'put --name clinic.sql --command -- pg_dump clinic',
      'put --json test/data/* | jq -r ".recordId // empty"',
    ],
  })
    .addOption(
      new Option('-l, --label <label>', 'label to find the records by; repeat for more')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--label-from-path', 'the folders between the operand and a file are labels of it, too'))
    .addOption(new Option('--content-type <type>', 'media type (default: guessed from name and first bytes)'))
    .addOption(new Option('--name <name>', 'name of the record (default: the name of the file)'))
    .addOption(new Option('--record <id>', 'store as a new version of this record'))
    .addOption(new Option('--command', 'run what follows -- and store what it prints'))
    .addOption(new Option('--allow-empty', 'store an empty record when stdin or the command gives nothing'))
    .addOption(new Option('--again', 'store also what an earlier run stored'))
    .addOption(new Option('--dry-run', 'show what would be stored, and store nothing'))
    .addOption(new Option('--resumable', 'send smaller files in parts too, as over a connection that breaks'))
    .action(action(terminal, put));
}

async function put(call: Call<PutCall>): Promise<void> {
  checkOptions(call);
  const { options, operands, terminal } = call;
  const found = options.command === true ? once({ source: commandSource(operands) }) : putSources(operands, terminal);
  const tally = createTally();
  const work = (): Promise<void> =>
    withNode(call, async (client) => {
      try {
        for await (const outcomes of putFiles(await withWholeId(call, client), client, oneIfNamed(found, options)))
          for (const outcome of outcomes) {
            tally.add(outcome);
            tell(call, outcome);
          }
      } finally {
        for (const line of tally.lines(options.dryRun === true)) call.output.note(line);
      }
      tally.check();
    });
  await leaving(terminal, () => tally.left(), work);
}

/** The call with the whole id of the record that is named. */
async function withWholeId(call: Call<PutCall>, client: Client): Promise<Call<PutCall>> {
  const { record } = call.options;
  if (record === undefined) return call;
  return { ...call, options: { ...call.options, record: await findRecord(client, record) } };
}

/** @throws NectarError CLI_USAGE */
function checkOptions({ options, operands }: Call<PutCall>): void {
  const usage = (problem: string) => new NectarError('CLI_USAGE', { problem });
  const isNamed = options.name !== undefined || options.record !== undefined;
  if (options.command !== true && operands.length > 1 && isNamed)
    throw usage('--name and --record go with one file only');
  if (options.command === true && options.dryRun === true) throw usage('--dry-run runs no command');
  if (options.command !== true && operands.filter((operand) => operand === '-').length > 1)
    throw usage('stdin (-) can be put only once');
  if (options.contentType !== undefined && !MEDIA_TYPE.test(options.contentType))
    throw usage('--content-type is no media type, such as application/pdf');
  if (options.record !== undefined) parseRecordId(options.record);
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

/** Before the first is stored: of a folder with one file its name is that file's. */
async function* oneIfNamed(found: AsyncIterable<Found>, { name, record }: PutCall): AsyncGenerator<Found> {
  if (name === undefined && record === undefined) {
    yield* found;
    return;
  }
  const all: Found[] = [];
  for await (const item of found) {
    all.push(item);
    if (all.filter((each) => !('leftOut' in each)).length > 1)
      throw new NectarError('CLI_USAGE', { problem: '--name and --record go with one file only' });
  }
  yield* all;
}

/** One line for each, in the order of the files. */
function tell({ output, operands, options }: Call<PutCall>, outcome: PutOutcome): void {
  if ('error' in outcome) {
    const { file, error } = outcome;
    // Of the one operand the command's own error says it.
    if (options.command === true || (operands.length === 1 && file === operands[0])) return;
    const { code, message } = error;
    if (output.json) output.result({ file, error: { code, message, data: error.data } }, '');
    else output.note(`not stored: ${printable(file)}: ${printable(message)}`);
    return;
  }
  if ('leftOut' in outcome) {
    if (output.json) output.result(outcome, '');
    else output.note(`left out: ${printable(outcome.file)}: ${outcome.leftOut}`);
    return;
  }
  const { file, bytes = 0 } = outcome.source;
  const line = (id: string, size: number, what: string): string =>
    `${id.padEnd(32)}  ${formatBytes(size).padStart(9)}  ${what}  ${printable(file)}`;
  if ('receipt' in outcome) {
    const { receipt } = outcome;
    const { recordId, version, cid, auditLeaf } = receipt;
    output.result({ file, recordId, version, cid, auditLeaf }, () =>
      line(recordId, receipt.bytes, `leaf ${auditLeaf}`),
    );
  } else if ('before' in outcome) {
    const { recordId, version } = outcome.before;
    output.result({ file, recordId, version, storedBefore: true }, () => line(recordId, bytes, 'stored before'));
  } else output.result({ file, bytes, wouldStore: true }, () => line('', bytes, 'would be stored'));
}

function createTally() {
  const failed: { readonly file: string; readonly error: NectarError }[] = [];
  const counts = { stored: 0, before: 0, planned: 0, leftOut: 0 };
  let bytes = 0;

  return {
    add(outcome: PutOutcome): void {
      if ('error' in outcome) failed.push(outcome);
      else if ('leftOut' in outcome) counts.leftOut += 1;
      else if ('before' in outcome) counts.before += 1;
      else if ('receipt' in outcome) {
        counts.stored += 1;
        bytes += outcome.receipt.bytes;
      } else {
        counts.planned += 1;
        bytes += outcome.source.bytes ?? 0;
      }
    },
    /** What is said at the end; of one file its own line says it. */
    lines(isDryRun: boolean): string[] {
      const { stored, before, planned, leftOut } = counts;
      if (stored + before + planned + leftOut + failed.length <= 1) return [];
      const many = (count: number): string => `${count} ${count === 1 ? 'record' : 'records'}`;
      const parts = [isDryRun ? `${many(planned)} would be stored` : `${many(stored)} stored`];
      if (bytes > 0) parts.push(formatBytes(bytes));
      if (before > 0) parts.push(`${before} stored before`);
      if (leftOut > 0) parts.push(`${leftOut} left out`);
      if (failed.length > 0) parts.push(`${failed.length} ${isDryRun ? 'not readable' : 'not stored'}`);
      return [parts.join(', ')];
    },
    /** What an interrupted run leaves. */
    left(): string | undefined {
      const there = counts.stored + counts.before;
      if (there === 0) return undefined;
      const many = there === 1 ? '1 record is' : `${there} records are`;
      return `${many} stored; the same command goes on with the rest, and stores nothing twice`;
    },
    /** @throws NectarError CLI_PUT_INCOMPLETE, CLI_USAGE where there was no file; of one file its own error */
    check(): void {
      const total = counts.stored + counts.before + counts.planned + counts.leftOut + failed.length;
      const [first] = failed;
      if (first !== undefined && total === 1) throw first.error;
      if (first !== undefined) {
        const files = failed.slice(0, NAMED_AT_THE_END).map(({ file, error }) => `${file} (${error.code})`);
        throw new NectarError('CLI_PUT_INCOMPLETE', { failed: failed.length, total, files });
      }
      if (total === counts.leftOut) throw new NectarError('CLI_USAGE', { problem: 'the folder holds no files' });
    },
  };
}
