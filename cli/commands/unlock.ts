import { type Command, Option } from 'commander';
import { UnlockResult } from '../../appliance/gateway/schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { withNode } from '../node-client.ts';
import { readPassphrase } from '../passphrase.ts';
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
    examples: ['unlock', 'unlock --passphrase-file /run/secrets/nectar', 'pass show nectar | nectar-byon unlock --passphrase-file -'],
  })
    .addOption(passphraseFileOption())
    .action(action(terminal, unlock));
}

async function unlock(call: Call<UnlockOptions>): Promise<void> {
  const { options, terminal, output } = call;
  await withNode(call, async (client) => {
    const passphrase = await readPassphrase(terminal, options.passphraseFile);
    await sendPassphrase(client, passphrase);
    output.result({ state: 'unlocked' }, 'unlocked');
  });
}

/** Hands the passphrase to the node and wipes our copy. */
export async function sendPassphrase(client: Client, passphrase: Uint8Array): Promise<void> {
  try {
    await client.json(UnlockResult, 'POST', '/v1/unlock', { passphrase: Buffer.from(passphrase).toString('utf8') });
  } finally {
    passphrase.fill(0);
  }
}
