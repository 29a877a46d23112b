import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { writeOutputFile } from '../output-file.ts';
import { formatBytes } from '../render/quantities.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { examine } from './doctor.ts';

interface SupportOptions {
  readonly out: string;
  readonly force?: boolean;
}

export function registerSupportBundle(program: Command, terminal: Terminal): void {
  addVerb(program, 'support-bundle', {
    summary: 'write what a helper needs to see, and nothing private, to one readable file',
    about:
      'Versions, numbers of the configuration, status, doctor, filtered log, metrics. It is made by allow-lists: no record, name, label, token, key, path, address or URL is in it. Read it before you send it: it is plain JSON.',
    examples: ['support-bundle --out support.json'],
  })
    .addOption(new Option('-o, --out <file>', 'the file to write').makeOptionMandatory())
    .addOption(new Option('--force', 'overwrite the file'))
    .action(action(terminal, supportBundle));
}

async function supportBundle(call: Call<SupportOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  const { collectSupport } = await import('../life/support/collect-support.ts');
  const file = resolve(terminal.workingFolder, options.out);
  const bundle = await showWork(terminal, output, 'collecting', () =>
    collectSupport({ home, terminal, examine: () => examine(call), withClient: (work) => withNode(call, work) }),
  );
  const text = Buffer.from(`${JSON.stringify(bundle, undefined, 2)}\n`);
  const bytes = await writeOutputFile(file, once(text), options.force === true);
  output.result({ file, bytes }, `${file}: ${formatBytes(bytes)}. Read it before you send it.`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
