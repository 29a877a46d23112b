import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { intro, log, select, text } from '@clack/prompts';
import { defaultKeyFile } from '../appliance/keys/index.ts';
import { NectarError } from '../protocol/errors.ts';
import { MAX_DESCRIPTOR_BYTES, parseDescriptor } from '../protocol/network/descriptor.ts';
import { parseSize } from './option-parsers.ts';
import { chooseNewPassphrase } from './passphrase.ts';
import { answered, promptIo } from './prompt.ts';
import { configFolder, type InitAnswers } from './provision/process/plan-home.ts';
import type { Terminal } from './terminal.ts';
import { describeKeyFile, findUnlockOffers, type InitUnlock } from './unlock-offers.ts';

/** What the command line already says: those questions are not asked. */
export type GivenAnswers = Omit<InitAnswers, 'unlock' | 'host'> & {
  readonly unlock: InitAnswers['unlock'] | undefined;
  readonly host: string | undefined;
  readonly names: readonly string[];
};

export type WizardAnswers = InitAnswers & {
  readonly passphrase: Uint8Array | undefined;
  /** Of the certificate, beside those of this machine. */
  readonly names: readonly string[];
};

export const LOOPBACK = '127.0.0.1';

/** Asks what an administrator has to decide: the network, what opens the node, who reaches it, the port. */
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
  const reach = given.host === undefined ? await askReach(terminal) : { host: given.host, names: [] };
  const offer = given.offer ?? (await askOffer(terminal));
  const port = given.port ?? (await askPort(terminal));
  const names = [...given.names, ...reach.names];
  return { ...given, network, unlock, host: reach.host, names, offer, port, passphrase };
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
    await text({
      message: 'Path of the descriptor',
      validate: (value) => descriptorProblem(resolve(terminal.workingFolder, value ?? '')),
      ...io,
    }),
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

/** Why a file is no descriptor of a network; undefined where it is one. Its signature is checked when it is taken. */
export function descriptorProblem(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_DESCRIPTOR_BYTES) return 'that file is too large for a descriptor';
    parseDescriptor(readFileSync(path));
    return undefined;
  } catch (error) {
    return error instanceof NectarError ? error.message : 'there is no file that can be read';
  }
}

interface Reach {
  readonly host: string;
  readonly names: readonly string[];
}

/** Who uses the API: this machine alone, or others, which need an address of it and, mostly, a name. */
async function askReach(terminal: Terminal): Promise<Reach> {
  const addresses = addressesOf(networkInterfaces());
  if (addresses.length === 0) return { host: LOOPBACK, names: [] };
  const io = promptIo(terminal);
  const host = answered(
    await select({
      message: 'Who reaches the HTTPS API?',
      options: [
        { value: LOOPBACK, label: 'programs on this machine', hint: LOOPBACK },
        ...addresses.map(({ address, name }) => ({
          value: address,
          label: `machines that reach ${address}`,
          hint: name,
        })),
      ],
      ...io,
    }),
  );
  if (host === LOOPBACK) return { host, names: [] };
  const name = answered(
    await text({
      message: 'Name under which they know this machine (empty: its address alone)',
      placeholder: 'node.clinic.example',
      validate: (value) => (!value || isHostName(value) ? undefined : 'letters, digits, hyphens and dots'),
      ...io,
    }),
  );
  return { host, names: name ? [name] : [] };
}

/** Addresses of this machine that others may reach it by; those of a link alone have no meaning elsewhere. */
export function addressesOf(
  interfaces: ReturnType<typeof networkInterfaces>,
): readonly { readonly name: string; readonly address: string }[] {
  return Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos
      .filter(({ internal, address }) => !internal && !/^fe80:|^169\.254\./i.test(address))
      .map(({ address }) => ({ name, address })),
  );
}

export function isHostName(text: string): boolean {
  const labels = text.split('.');
  return text.length <= 253 && labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
}

/** Nothing, unless somebody decides otherwise: it is this machine's disk. */
async function askOffer(terminal: Terminal): Promise<number> {
  const io = promptIo(terminal);
  const choice = answered(
    await select({
      message: 'Does this node store encrypted data of other members?',
      options: [
        { value: 'none', label: 'no', hint: '`storage offer` changes it at any time' },
        { value: 'size', label: 'yes, up to a size', hint: 'data that this node cannot read' },
      ],
      ...io,
    }),
  );
  if (choice === 'none') return 0;
  const size = await text({ message: 'How much of the disk', placeholder: '100GiB', validate: sizeProblem, ...io });
  return parseSize(answered(size));
}

function sizeProblem(value: string | undefined): string | undefined {
  try {
    parseSize(value ?? '');
    return undefined;
  } catch {
    return 'a size such as 500MiB, 100GiB or 2TiB';
  }
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
