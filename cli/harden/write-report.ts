import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { PARTIAL_FORMATS, type ReportFormat, renderReport } from '../../hardening/report/formats.ts';
import type { Report } from '../../hardening/report/report.ts';
import type { Screen } from '../../hardening/report/terminal/text.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { writeOutputFile } from '../output-file.ts';
import { outputFilePlace, outputPlace } from '../output-place.ts';
import { readPassphrase } from '../passphrase.ts';
import { type HardenOptions, onlyOf } from './options.ts';
import { findReportKey, makeReportKey, signBytes } from './report-key.ts';

/** What the name of a file says about its format. */
const FORMATS: Readonly<Record<string, ReportFormat>> = {
  '.json': 'json',
  '.html': 'html',
  '.sarif': 'sarif',
  '.xml': 'junit',
  '.txt': 'table',
};

export interface WrittenReport {
  /** SHA-256 of the JSON document, hex. */
  readonly digest: string;
  readonly format: ReportFormat;
  /** Where it was written to; absent where it went to the terminal. */
  readonly path?: string;
  /** SHA-256 of the file, where that is not the JSON document. */
  readonly fileDigest?: string;
  readonly signer?: string;
}

/** What `--format` says, else the name of the file, else `json` with --json, else a table. */
function formatOf({ options, output }: Pick<Call<HardenOptions>, 'options' | 'output'>): ReportFormat {
  if (options.format !== undefined) return options.format;
  const byName = options.output === undefined ? undefined : FORMATS[extname(options.output)];
  return byName ?? (output.json || options.output !== undefined ? 'json' : 'table');
}

/** Refuses a part of a report in a format whose readers would take it for the whole. @throws NectarError CLI_USAGE */
export function requireWholeFormat(call: Pick<Call<HardenOptions>, 'options' | 'output'>): void {
  if (call.options.only === undefined || PARTIAL_FORMATS.includes(formatOf(call))) return;
  const problem = `--only shows a part: it needs --format ${PARTIAL_FORMATS.join(', ')}; ${formatOf(call)} is always whole`;
  throw new NectarError('CLI_USAGE', { problem });
}

/** Where the files of a report go; refused before anything is looked at. @throws NectarError CLI_OUTPUT_EXISTS, CLI_OUTPUT_UNWRITABLE, CLI_HOME_MISSING */
export async function planFiles({ home, options, terminal }: Call<HardenOptions>): Promise<string | undefined> {
  if (options.output === undefined) return undefined;
  // The key that signs belongs to a node.
  if (options.sign === true) requireHome(home);
  const path = resolve(terminal.workingFolder, options.output);
  const force = options.force === true;
  if (options.sign !== true) return (await outputPlace(path, force)).path;
  for (const name of [signaturePath(path), proofPath(path)]) await outputFilePlace(name, force);
  return outputFilePlace(path, force);
}

/** Writes the report to its file and signs that; without a file it only says what its digests are. */
export async function writeReport(call: Call<HardenOptions>, report: Report): Promise<WrittenReport> {
  const format = formatOf(call);
  const path = await planFiles(call);
  const digest = sha256(Buffer.from(renderReport(report, 'json', { screen: PAGE })));
  const bytes = Buffer.from(renderReport(report, format, { screen: PAGE, only: onlyOf(call.options) }));
  const written = { digest, format, ...(format !== 'json' && { fileDigest: sha256(bytes) }) };
  // A table on a terminal is coloured and as wide as that; anything else is written to stdout byte for byte.
  if (path === undefined) return format === 'table' ? { digest, format } : written;
  await writeBytes(path, bytes, call.options.force === true);
  // Of the file that was there before: they would say that this one was altered.
  // Of a device there is none, and what lies beside it is not ours.
  const place = await outputPlace(path, true);
  if (place.kind === 'file')
    for (const stale of [signaturePath(path), proofPath(path)]) await rm(stale, { force: true });
  if (call.options.sign !== true) return { ...written, path };
  const { signature, fingerprint } = await sign(call, report, bytes);
  await writeBytes(signaturePath(path), Buffer.from(signature), call.options.force === true);
  return { ...written, path, signer: fingerprint };
}

/** The first signature makes the key. */
async function sign(call: Call<HardenOptions>, { node }: Report, bytes: Uint8Array) {
  const { home, options, terminal, output } = call;
  const file = options.passphraseFile;
  const passphrase = file === undefined ? undefined : await readPassphrase(terminal, file);
  const now = (): number => terminal.now();
  if ((await findReportKey(home)) === undefined) {
    const made = await makeReportKey({ home, nodeId: node.id, passphrase, force: false, now });
    output.note(`made the key that signs reports: ${made.fingerprint}`);
  }
  return signBytes(bytes, { home, passphrase, now });
}

export async function writeBytes(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  await writeOutputFile(
    path,
    (async function* () {
      yield bytes;
    })(),
    force,
  );
}

export function signaturePath(path: string): string {
  return `${path}.asc`;
}

export function proofPath(path: string): string {
  return `${path}.proof.json`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Files hold no colours, whatever they are written from. */
const PAGE: Screen = { columns: 100, style: (_style, text) => text };
