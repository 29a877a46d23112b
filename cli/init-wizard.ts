import { intro, log, select, text } from '@clack/prompts';
import { defaultKeyFile } from '../appliance/keys/index.ts';
import { chooseNewPassphrase } from './passphrase.ts';
import { answered, promptIo } from './prompt.ts';
import { configFolder, type InitAnswers } from './provision/process/plan-home.ts';
import type { Terminal } from './terminal.ts';
import { describeKeyFile, findUnlockOffers, type InitUnlock } from './unlock-offers.ts';

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
  if (unlock === 'file') {
    const keyFile = given.keyFile ?? defaultKeyFile(configFolder(terminal), given.home);
    log.info(describeKeyFile({ keyFile, home: given.home }, findUnlockOffers(terminal)).join('\n'), io);
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

/** The better ones first, where this machine has them; a key file last among those that need nobody. */
async function askUnlock(terminal: Terminal): Promise<InitUnlock> {
  const { tpm } = findUnlockOffers(terminal);
  return answered(
    await select<InitUnlock>({
      message: 'What opens the node when it starts?',
      options: [
        ...(tpm
          ? [
              {
                value: 'tpm2' as const,
                label: "this machine's TPM",
                hint: 'by itself; a copy of the disk opens nothing',
              },
            ]
          : []),
        {
          value: 'file',
          label: 'a key file',
          hint: 'by itself; on the same disk as the data it protects nothing from who has the disk',
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
