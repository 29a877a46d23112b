import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { checkPassphrase, readPassphrase } from '../passphrase.ts';
import type { Terminal } from '../terminal.ts';

export function registerHardenKeys(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'keygen', {
    summary: 'make the OpenPGP key that signs reports',
    about:
      'The private key is HOME/hardening/report-key.asc. It shows that a report was not altered after it left this machine. Whoever administers this machine can use it, and could sign another report: the audit log, whose checkpoints are anchored outside, is what shows which reports were made. `harden --sign` makes a key where there is none.',
    examples: ['harden keygen', 'harden keygen --passphrase-file -'],
  })
    .addOption(new Option('--passphrase-file <file>', 'protect it with a passphrase from this file; - is stdin'))
    .addOption(new Option('--force', 'replace the key: what it signed is then verified with its exported public half'))
    .action(action(terminal, keygen));
  addVerb(verb, 'key', {
    summary: 'export the public key, for those who verify reports',
    examples: ['harden key', 'harden key -o clinic.asc'],
  })
    .addOption(new Option('-o, --output <file>', 'write it to a new file'))
    .action(action(terminal, exportKey));
}

async function keygen(call: Call<{ passphraseFile?: string; force?: boolean }>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  const file = options.passphraseFile;
  const passphrase = file === undefined ? undefined : await readPassphrase(terminal, file);
  if (passphrase !== undefined) await checkPassphrase(passphrase);
  const { readPublicIdentity } = await import('../../appliance/config/identity.ts');
  const { makeReportKey } = await import('../harden/report-key.ts');
  const { nodeId } = readPublicIdentity(home);
  const force = options.force === true;
  const made = await makeReportKey({ home, nodeId, passphrase, force, now: () => terminal.now() });
  output.result(made, `${made.fingerprint}${made.protected ? ', protected by a passphrase' : ''}`);
}

async function exportKey({ home, options, output }: Call<{ output?: string }>): Promise<void> {
  requireHome(home);
  const { findReportKey, readPublicKey } = await import('../harden/report-key.ts');
  const { writeBytes } = await import('../harden/write-report.ts');
  const publicKey = await readPublicKey(home);
  const known = await findReportKey(home);
  if (options.output !== undefined) await writeBytes(options.output, Buffer.from(publicKey), false);
  output.result({ ...known, publicKey }, () =>
    options.output === undefined ? publicKey.trimEnd() : `${known?.fingerprint} written to ${options.output}`,
  );
}
