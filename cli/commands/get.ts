import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { givePieceBack } from '../../appliance/page-memory.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type ByteRange, parseByteRange, rangeHeader } from '../byte-range.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Answer, Client } from '../client.ts';
import { checkedBody, promisedBytes } from '../download-body.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { isStdout, outputPlace } from '../output-place.ts';
import { receiveFile } from '../receive-file.ts';
import { findRecord, parseRecordId } from '../record-id.ts';
import { type ByteProgress, countBytes, showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import { openResumable } from '../resumable-get.ts';
import type { Terminal } from '../terminal.ts';

interface GetOptions {
  readonly output?: string;
  readonly range?: string;
  readonly version?: number;
  readonly force?: boolean;
  readonly car?: boolean;
}

export function registerGet(program: Command, terminal: Terminal): void {
  addVerb(program, 'get <record>', {
    summary: 'read a record, or a part of it',
    about:
      'The file appears under its name only when every byte has been authenticated and written. A broken connection or a restart of the node does not end it: it goes on where it was for ten minutes without a byte. Of a record of 64 MiB or more what arrived stays in FILE.nectar-part when the command is ended, and the same command goes on there; another version is begun anew.',
    examples: [
      'get 3f0c...e1 -o scan.dcm',
      'get 3f0c...e1 -o - | less',
      'get 3f0c...e1 --range 0-131 -o header.bin',
      'get 3f0c...e1 --version 1 -o first.json',
      'get 3f0c...e1 --car -o sealed.car     # ciphertext, for any IPFS tool',
    ],
  })
    .addOption(
      new Option('-o, --output <file>', 'where to write it; - is stdout (default: stdout when it is no terminal)'),
    )
    .addOption(new Option('--range <bytes>', 'only these bytes: 0-99, 100- or -50'))
    .addOption(new Option('--version <n>', 'an older version').argParser(parseCount))
    .addOption(new Option('--car', 'the ciphertext blocks as a CAR file').conflicts(['range']))
    .addOption(new Option('--force', 'overwrite the file'))
    .action(action(terminal, get));
}

async function get(call: Call<GetOptions>): Promise<void> {
  const { options, operands, terminal } = call;
  const wanted = parseRecordId(operands[0] ?? '');
  const named = options.output ?? (terminal.stdout.isTTY === true ? undefined : '-');
  const target = named !== undefined && isStdout(named) ? '-' : named;
  if (target === undefined)
    throw new NectarError('CLI_USAGE', { problem: 'name a file with -o (or -o - for this terminal)' });
  const range = options.range === undefined ? undefined : parseByteRange(options.range);
  const place = target === '-' ? undefined : await outputPlace(target, options.force === true);
  await withNode(call, async (client) => {
    const record = await findRecord(client, wanted);
    if (options.car === true) return getCar(call, client, { record, target });
    if (range === undefined && place?.kind === 'file')
      return getFile(call, client, { record, target, path: place.path });
    return getRange(call, client, { record, target, range });
  });
}

interface Wanted {
  readonly record: string;
  readonly target: string;
}

async function getFile(
  call: Call<GetOptions>,
  client: Client,
  { record, target, path }: Wanted & { readonly path: string },
): Promise<void> {
  const { version, force = false } = call.options;
  const { headers, bytes, resumedAt } = await receiveFile(call, client, { record, version, target: path, force });
  show(call, { record, target, headers, bytes, ...(resumedAt > 0 && { resumedAt }) });
}

/** To stdout, or a part of a record: it goes on through breaks, and is begun anew by another run. */
async function getRange(
  call: Call<GetOptions>,
  client: Client,
  { record, target, range }: Wanted & { range: ByteRange | undefined },
): Promise<void> {
  const { options, terminal, output } = call;
  const { headers, bytes, body } = await openResumable(client, {
    path: `/v1/records/${record}`,
    version: options.version,
    range: range === undefined ? undefined : rangeHeader(range),
    signal: terminal.signal,
    onBroken: (reason, at) => output.note(`${reason} after ${formatBytes(at)}; going on where it was`),
  });
  const progress = await showByteProgress(terminal, record.slice(0, 8), bytes, output.json || target === '-');
  const received = await receive(call, target, countBytes(body, progress), progress);
  if (target !== '-') show(call, { record, target, headers, bytes: received });
}

/** A CAR is made as it is sent: nobody knows its length, and it is not gone on with. */
async function getCar(call: Call<GetOptions>, client: Client, { record, target }: Wanted): Promise<void> {
  const { options, terminal, output } = call;
  const query = options.version === undefined ? '' : `?version=${options.version}`;
  const answer = await client.open(`/v1/records/${record}/car${query}`);
  const expected = promisedBytes(answer);
  const progress = await showByteProgress(terminal, record.slice(0, 8), expected, output.json || target === '-');
  const body = countBytes(checkedBody(answer, expected, client.gateway), progress);
  const bytes = await receive(call, target, body, progress);
  if (target !== '-') show(call, { record, target, headers: answer.headers, bytes });
}

interface Shown extends Wanted {
  readonly headers: Answer['headers'];
  readonly bytes: number;
  readonly resumedAt?: number;
}

function show({ output }: Call<GetOptions>, { record, target, headers, ...counts }: Shown): void {
  const facts = {
    recordId: record,
    ...counts,
    contentType: headers['content-type'],
    etag: headers.etag,
    output: target,
  };
  output.result(facts, `${target}  ${formatBytes(counts.bytes)}`);
}

async function receive(
  call: Call<GetOptions>,
  target: string,
  body: AsyncIterable<Uint8Array>,
  progress: ByteProgress,
): Promise<number> {
  try {
    if (target !== '-') return await writeOutputFile(target, body, call.options.force === true);
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      const more = call.terminal.stdout.write(chunk, () => givePieceBack(chunk));
      if (!more) await once(call.terminal.stdout, 'drain', { signal: call.terminal.signal });
    }
    return bytes;
  } finally {
    progress.done();
  }
}
