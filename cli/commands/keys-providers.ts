import { type Command, Option } from 'commander';
import { ChangedProvider, KeyList, ResolvedKeys } from '../../appliance/gateway/key-schemas.ts';
import { PROVIDERS } from '../../appliance/keys/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { withNode } from '../node-client.ts';
import { checkPassphrase, chooseNewPassphrase, readPassphrase } from '../passphrase.ts';
import { confirmAction } from '../prompt.ts';
import { addSettingOptions, operandsOf, readSettings } from '../provider-options.ts';
import { isInteractive, type Terminal } from '../terminal.ts';

type Provider = (typeof PROVIDERS)[number];
type EnrolOptions = Readonly<Record<string, unknown>> & { readonly passphraseFile?: string };

const EXAMPLES: Readonly<Record<string, string>> = {
  passphrase: 'keys enroll passphrase',
  file: 'keys enroll file --path /mnt/usb/clinic.key',
  command: 'keys enroll command -- /usr/local/bin/vault-read nectar/clinic',
  systemd: 'keys enroll systemd --credential nectar',
  tpm2: 'keys enroll tpm2 --pcrs sha256:0,7',
  pkcs11:
    'keys enroll pkcs11 --module /usr/lib/softhsm/libsofthsm2.so --token clinic --key 01 --pin-file /etc/nectar/pin',
};

/** `keys enroll`, a verb for each provider of the registry; `keys change`, `keys remove`, `keys resolve`. */
export function registerKeyProviders(group: Command, terminal: Terminal): void {
  const enrol = group.command('enroll').summary('add a way to open the node').helpCommand(false);
  enrol.description('Add a way to open the node. It is made for the running, unlocked node, and is in the audit log.');
  for (const provider of PROVIDERS) {
    const verb = addVerb(enrol, `${provider.name}${operandsOf(provider)}`, {
      summary: `open the node by ${provider.title}`,
      examples: [EXAMPLES[provider.name] ?? `keys enroll ${provider.name}`],
    });
    if (provider.attended) verb.addOption(newPassphraseOption());
    addSettingOptions(verb, [provider]).action(action(terminal, (call: Call<EnrolOptions>) => enroll(call, provider)));
  }
  const change = addVerb(group, 'change <id> [words...]', {
    summary: 'put a new secret in the place of an enrolled one, such as a new passphrase',
    about:
      'The old one opens the node no more, from the moment that this returns; older copies of keys.json still hold it.',
    examples: ['keys change passphrase-1', 'keys change file-1 --path /mnt/usb/new.key', 'keys change tpm2-4'],
  }).addOption(newPassphraseOption());
  addSettingOptions(change, PROVIDERS).action(action(terminal, changeOne));
  addVerb(group, 'remove <id>', {
    summary: 'take a way to open the node away; never the last that works',
    examples: ['keys remove file-1', 'keys remove passphrase-3 --yes'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, remove));
  addVerb(group, 'resolve', {
    summary: 'accept a keys.json that contradicts the audit log (KEY_STORE_BEHIND, KEY_STORE_AHEAD)',
    about:
      'Only when the newest keys.json is lost for good. Data that newer keys wrapped stays closed; providers that were removed since this copy was made open the node again. The audit log keeps what it stated, and that you accepted this one.',
    examples: ['keys resolve'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, resolveList));
}

function newPassphraseOption(): Option {
  return new Option('--passphrase-file <file>', 'file that holds the new passphrase; - is stdin (default: asked for)');
}

async function enroll(call: Call<EnrolOptions>, provider: Provider): Promise<void> {
  const body = await enrolment(call, provider, call.operands);
  await withNode(call, async (client) => {
    const made = await client.json(ChangedProvider, 'POST', '/v1/keys/providers', body);
    call.output.result(made, `${made.id}: ${provider.title} opens the node from now on`);
  });
}

async function changeOne(call: Call<EnrolOptions>): Promise<void> {
  const [id = '', ...words] = call.operands;
  await withNode(call, async (client) => {
    const provider = await providerOf(client, id);
    const body = await enrolment(call, provider, words);
    const made = await client.json(ChangedProvider, 'PUT', `/v1/keys/providers/${id}`, body);
    call.output.result(made, `${made.id} in the place of ${id}`);
  });
}

async function providerOf(client: Client, id: string): Promise<Provider> {
  const { providers } = await client.json(KeyList, 'GET', '/v1/keys');
  const name = providers.find((entry) => entry.id === id)?.provider;
  const provider = PROVIDERS.find((known) => known.name === name);
  if (provider === undefined) throw new NectarError('KEY_PROVIDER_ABSENT', { id });
  return provider;
}

async function enrolment(
  { options, terminal }: Call<EnrolOptions>,
  provider: Provider,
  words: readonly string[],
): Promise<object> {
  const settings = readSettings(provider, { options, words });
  if (!provider.attended) return { provider: provider.name, settings };
  const passphrase = await newPassphrase(terminal, options.passphraseFile);
  const text = Buffer.from(passphrase).toString('utf8');
  passphrase.fill(0);
  return { provider: provider.name, settings, passphrase: text };
}

async function newPassphrase(terminal: Terminal, file: string | undefined): Promise<Uint8Array> {
  if (file === undefined && isInteractive(terminal)) return chooseNewPassphrase(terminal);
  const passphrase = await readPassphrase(terminal, file);
  await checkPassphrase(passphrase);
  return passphrase;
}

async function remove(call: Call<{ yes?: boolean }>): Promise<void> {
  const { operands, options, terminal, output } = call;
  const [id = ''] = operands;
  if (!output.json) {
    const message = `Remove ${id}? Copies of keys.json made before still open by it, with their data.`;
    await confirmAction(terminal, { action: 'removing a provider', message, yes: options.yes === true });
  }
  await withNode(call, async (client) => {
    const removed = await client.json(ChangedProvider, 'DELETE', `/v1/keys/providers/${id}`);
    output.result(removed, `${removed.id} opens the node no more`);
  });
}

async function resolveList(call: Call<{ yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  const message = 'Accept this keys.json, though the audit log states another? What newer keys wrapped stays closed.';
  await confirmAction(terminal, { action: 'accepting keys.json', message, yes: options.yes === true });
  await withNode(call, async (client) => {
    const resolved = await client.json(ResolvedKeys, 'POST', '/v1/keys/resolve');
    output.result(
      resolved,
      `keys.json is generation ${resolved.generation} now; new data is wrapped by ${resolved.to}`,
    );
  });
}
