import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { readPassphrase } from '../passphrase.ts';
import { sendPassphrase } from '../provision/process/unlock.ts';
import type { Terminal } from '../terminal.ts';

export interface UnlockOptions {
  readonly passphraseFile?: string;
}

export function passphraseFileOption(): Option {
  return new Option('--passphrase-file <file>', 'file that holds the passphrase; - is stdin (default: asked for)');
}

export function registerUnlock(program: Command, terminal: Terminal): void {
  addVerb(program, 'unlock', {
    summary: 'open a locked node with its passphrase',
    about: 'A passphrase never goes into an argument or the environment, where other processes could read it.',
    examples: [
      'unlock',
      'unlock --passphrase-file /run/secrets/nectar',
      'pass show nectar | nectar-byon unlock --passphrase-file -',
    ],
  })
    .addOption(passphraseFileOption())
    .action(action(terminal, unlock));
}

/** Longer than a log of millions of entries takes to open. */
const LOG_OPENS_MS = 10_000;

async function unlock(call: Call<UnlockOptions>): Promise<void> {
  const { options, terminal, output } = call;
  await withNode(call, async (client) => {
    const passphrase = await readPassphrase(terminal, options.passphraseFile);
    await sendPassphrase(client, passphrase);
    output.result({ state: 'unlocked' }, 'unlocked');
  });
  const { recordCopies } = await import('../life/copy-reports.ts');
  await recordCopies({ home: call.home, signal: terminal.signal, patienceMs: LOG_OPENS_MS });
}
