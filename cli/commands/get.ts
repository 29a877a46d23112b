import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { givePieceBack } from '../../appliance/page-memory.ts';
import { NectarError } from '../../protocol/errors.ts';
import { parseByteRange, rangeHeader } from '../byte-range.ts';
import { action, addVerb, type Call } from '../call.ts';
import { checkedBody, promisedBytes } from '../download-body.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { parseRecordId } from '../record-id.ts';
import { type ByteProgress, countBytes, showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
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
    about: 'The file appears under its name only when every byte has been authenticated and written.',
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
  const { options, operands, terminal, output } = call;
  const record = parseRecordId(operands[0] ?? '');
  const target = options.output ?? (terminal.stdout.isTTY === true ? undefined : '-');
  if (target === undefined)
    throw new NectarError('CLI_USAGE', { problem: 'name a file with -o (or -o - for this terminal)' });
  const range = options.range === undefined ? undefined : parseByteRange(options.range);
  const query = options.version === undefined ? '' : `?version=${options.version}`;
  const path = `/v1/records/${record}${options.car === true ? '/car' : ''}${query}`;

  await withNode(call, async (client) => {
    // A CAR is made as it is sent: nobody knows its length.
    const read = options.car === true ? client.open : client.download;
    const answer = await read(path, range === undefined ? undefined : { range: rangeHeader(range) });
    const expected = promisedBytes(answer);
    const progress = showByteProgress(terminal, record.slice(0, 8), expected, output.json || target === '-');
    const body = countBytes(checkedBody(answer, expected, client.gateway), progress);
    const bytes = await receive(call, target, body, progress);
    if (target === '-') return;
    const facts = {
      recordId: record,
      bytes,
      contentType: answer.headers['content-type'],
      etag: answer.headers.etag,
      output: target,
    };
    output.result(facts, `${target}  ${formatBytes(bytes)}`);
  });
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
