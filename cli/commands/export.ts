import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';

import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Answer, Client } from '../client.ts';
import { checkedBody, promisedBytes } from '../download-body.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { findRecord, parseRecordId } from '../record-id.ts';
import { countBytes, showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import { TINK_FILES, tinkReadme } from '../tink-readme.ts';

const WARNING =
  'This folder opens the record for whoever has it, without the node, also after `rm`. Keep it as you would the record in the clear; no later deletion reaches it.';

interface ExportOptions {
  readonly to: string;
  readonly version?: number;
}

interface Exported {
  readonly version: number;
  readonly associatedData: Uint8Array;
  readonly auditLeaf: number;
}

export function registerExport(program: Command, terminal: Parameters<typeof action>[0]): void {
  addVerb(program, 'export <record>', {
    summary: 'take a record away, to be opened with Google Tink alone',
    about:
      'Writes a new folder: the ciphertext as it is stored, the key of this one version as a Tink keyset, the associated data, and a README with the lines of Python and Go that open it. The folder opens the record for whoever has it. The key leaves the node only once that is in the audit log (record.export, with: key); it takes a token of scope admin. For ciphertext without the key: `get --car`.',
    examples: ['export 3f0c...e1 --to ./taken', 'export 3f0c...e1 --version 1 --to /media/usb/first-version'],
  })
    .addOption(new Option('--to <folder>', 'the folder to make; only you may read it').makeOptionMandatory())
    .addOption(new Option('--version <n>', 'an older version').argParser(parseCount))
    .action(action(terminal, exportRecord));
}

async function exportRecord(call: Call<ExportOptions>): Promise<void> {
  const { options, operands, output } = call;
  const wanted = parseRecordId(operands[0] ?? '');
  await withNode(call, async (client) => {
    const record = await findRecord(client, wanted);
    await makeFolder(options.to);
    try {
      const { version, auditLeaf, bytes } = await writeAll(call, client, record);
      output.note(WARNING);
      output.result(
        { recordId: record, version, folder: options.to, bytes, auditLeaf, warning: WARNING },
        `${options.to}  version ${version}  ${formatBytes(bytes)}  leaf ${auditLeaf}  with its key`,
      );
    } catch (error) {
      await rm(options.to, { recursive: true, force: true });
      throw error;
    }
  });
}

/** The key comes first: who may not have it makes no copy of the ciphertext either. */
async function writeAll(call: Call<ExportOptions>, client: Client, record: string) {
  const { options, output, terminal } = call;
  const at = (name: string) => join(options.to, name);
  const query = options.version === undefined ? '' : `?version=${options.version}`;
  const keyset = await client.open(`/v1/records/${record}/keyset${query}`);
  const exported = exportedOf(keyset);
  const { version, associatedData, auditLeaf } = exported;
  await writeOutputFile(at(TINK_FILES.keyset), checkedBody(keyset, promisedBytes(keyset), client.gateway), false);

  const blob = await client.open(`/v1/records/${record}/blob?version=${version}`);
  if (!associatedData.every((byte, i) => exportedOf(blob).associatedData[i] === byte))
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'the ciphertext is not that of the key' });
  const expected = promisedBytes(blob);
  const progress = await showByteProgress(terminal, record.slice(0, 8), expected, output.json);
  try {
    const body = countBytes(checkedBody(blob, expected, client.gateway), progress);
    const bytes = await writeOutputFile(at(TINK_FILES.sealed), body, false);
    await writeOutputFile(at(TINK_FILES.associatedData), only(associatedData), false);
    await writeOutputFile(
      at(TINK_FILES.readme),
      only(Buffer.from(tinkReadme({ record, version, warning: WARNING }))),
      false,
    );
    return { version, auditLeaf, bytes };
  } finally {
    progress.done();
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Never into a folder that others may read, nor over what is there.
    if (code === 'EEXIST')
      throw new NectarError(
        'CLI_USAGE',
        { problem: `${path} exists already; name a folder to make` },
        { cause: error },
      );
    throw new NectarError('CLI_OUTPUT_UNWRITABLE', { path, reason: code ?? message }, { cause: error });
  }
}

function exportedOf({ headers }: Answer): Exported {
  const version = Number(headers['x-nectar-record-version']);
  const auditLeaf = Number(headers['x-nectar-audit-leaf']);
  const associated = headers['x-nectar-associated-data'];
  const isGood = Number.isSafeInteger(version) && version > 0 && Number.isSafeInteger(auditLeaf);
  if (!isGood || typeof associated !== 'string' || !/^([0-9a-f]{2}){1,64}$/.test(associated))
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'an export without what it is bound to' });
  return { version, auditLeaf, associatedData: Buffer.from(associated, 'hex') };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
