import { intro, log, select, text } from '@clack/prompts';
import { chooseNewPassphrase } from './passphrase.ts';
import { answered, promptIo } from './prompt.ts';
import type { InitAnswers } from './provision/process/plan-home.ts';
import type { Terminal } from './terminal.ts';

/** What the command line already says: those questions are not asked. */
export type GivenAnswers = Omit<InitAnswers, 'unlock'> & { readonly unlock: InitAnswers['unlock'] | undefined };

export type WizardAnswers = InitAnswers & { readonly passphrase: Uint8Array | undefined };

/** Asks what an administrator has to decide: the network, what opens the node, the port. */
export async function askForInit(given: GivenAnswers, terminal: Terminal): Promise<WizardAnswers> {
  const io = promptIo(terminal);
  intro(`Nectar BYON: a new node in ${given.home}`, io);
  const network = given.network === 'devnet' ? await askNetwork(terminal) : given.network;
  const unlock = given.unlock ?? (await askUnlock(terminal));
  const passphrase = unlock === 'passphrase' ? await chooseNewPassphrase(terminal) : undefined;
  if (unlock === 'file' && given.keyFile === undefined) {
    log.info(
      'The key file lies outside the home: keep a copy of it in a safe place. Without it nobody opens the node.',
      io,
    );
  }
  const port = given.port ?? (await askPort(terminal));
  return { ...given, network, unlock, port, passphrase };
}

async function askNetwork(terminal: Terminal): Promise<string> {
  const io = promptIo(terminal);
  const kind = answered(
    await select({
      message: 'Which network does the node join?',
      options: [
        { value: 'devnet', label: 'devnet', hint: 'a whole network on this machine, for evaluation and development' },
        { value: 'file', label: 'a network whose signed descriptor I have' },
      ],
      ...io,
    }),
  );
  if (kind === 'devnet') return kind;
  return answered(
    await text({ message: 'Path of the descriptor', validate: (value) => (value ? undefined : 'name a file'), ...io }),
  );
}

async function askUnlock(terminal: Terminal): Promise<'passphrase' | 'file'> {
  return answered(
    await select<'passphrase' | 'file'>({
      message: 'What opens the node when it starts?',
      options: [
        {
          value: 'file',
          label: 'a key file',
          hint: 'starts by itself after a reboot; keep the file on another disk or in a vault',
        },
        { value: 'passphrase', label: 'a passphrase', hint: 'somebody types it after every start' },
      ],
      ...promptIo(terminal),
    }),
  );
}

/** Empty keeps the usual port, or the next free one. */
async function askPort(terminal: Terminal): Promise<number | undefined> {
  const typed = answered(
    await text({
      message: 'Port of the HTTPS API',
      placeholder: '8443, or the next free one',
      validate: (value) =>
        !value || (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) ? undefined : 'a number from 1 to 65535',
      ...promptIo(terminal),
    }),
  );
  return typed ? Number(typed) : undefined;
}
