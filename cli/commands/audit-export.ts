import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { bundleLines, MAX_BUNDLE_BYTES, verifyAuditBundle } from '../../protocol/merkle/audit-bundle.ts';
import { describeAuditFilter } from '../../protocol/merkle/audit-filter.ts';
import { type AuditConditionOptions, addAuditConditions, readConditions } from '../audit-conditions.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { writeOutputFile } from '../output-file.ts';
import { outputFilePlace } from '../output-place.ts';
import { readPassphrase } from '../passphrase.ts';
import { renderEntries } from '../render/audit-entries.ts';
import { formatBytes } from '../render/quantities.ts';
import { printable, renderFacts } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

export function registerAuditExport(group: Command, terminal: Terminal): void {
  addAuditConditions(
    addVerb(group, 'export', {
      summary: 'a file of entries with proofs, for somebody who does not trust this node',
      about:
        'One bundle: the entries that the conditions mean, their events, one proof that all of them are in the log under a signed checkpoint, and proofs that the checkpoint continues the heads anchored outside. The export is itself in the log and in the bundle, with the digest of the list: an entry taken out of the file later is missed. That the node left nothing out when it made the file is shown only with --all-leaves, which lists every leaf of the searched time (time, type and outcome; no person, no record). --sign adds FILE.asc by the OpenPGP key of `harden keygen`, for `gpg --verify`.',
      examples: [
        'audit export --record 0f1e2d3c -o reads.ndjson',
        'audit export --patient 4711 --since 2020-11-01 --for-disclosures --sign -o disclosures.ndjson',
        'audit export --type token --since 2026-01-01 --all-leaves --no-bodies -o tokens.ndjson',
      ],
    }),
  )
    .addOption(new Option('-o, --output <file>', 'write the bundle to a new file').makeOptionMandatory())
    .addOption(new Option('--no-bodies', 'leaves and proofs alone: no person, no record'))
    .addOption(new Option('--all-leaves', 'list every leaf of the searched time, so that none can be missing'))
    .addOption(new Option('--sign', 'sign the file with the OpenPGP key of this node'))
    .addOption(new Option('--passphrase-file <file>', 'passphrase of that key; - is stdin'))
    .action(action(terminal, exportEntries));
  addVerb(group, 'verify-bundle <file>', {
    summary: 'verify a bundle that `audit export` made: no node, no network',
    about:
      'Checks every entry, every body, the older heads and the OpenPGP signature beside the file. The key of the log comes from --vkey, or from --home of the node. dist/verify-audit-proof.mjs of the npm package does the same without this program.',
    examples: [
      'audit verify-bundle disclosures.ndjson --vkey nectar.example/node+1f2e3d4c+AQ...',
      'audit verify-bundle disclosures.ndjson --head 4096:9f2c...e1 --key clinic.asc',
    ],
  })
    .addOption(new Option('--vkey <key>', 'key of the log, NAME+HASH+KEY, as its owner states it'))
    .addOption(new Option('--head <size:root>', 'a head of the log that you keep: it must be of the same log'))
    .addOption(new Option('--key <file>', 'OpenPGP public key of whoever should have signed the file'))
    .action(action(terminal, verifyBundle));
}

interface ExportOptions extends AuditConditionOptions {
  readonly output: string;
  readonly bodies: boolean;
  readonly allLeaves?: boolean;
  readonly sign?: boolean;
  readonly passphraseFile?: string;
}

async function exportEntries(call: Call<ExportOptions>): Promise<void> {
  const { options, output, terminal, home } = call;
  const parameters = new URLSearchParams(readConditions(options));
  if (!options.bodies) parameters.set('bodies', 'false');
  if (options.allLeaves === true) parameters.set('leaves', 'all');
  const target = await outputFilePlace(resolve(terminal.workingFolder, options.output), false);
  const bytes = await showWork(terminal, output, 'collecting entries and proofs', () =>
    withNode(call, async (client) => {
      const answer = await client.open(`/v1/audit/export?${parameters}`);
      return writeOutputFile(target, answer.body, false);
    }),
  );
  const signed = options.sign === true ? await signFile(call, target) : undefined;
  // What was written is what will be verified: an export that does not verify is none.
  const { entries, completeness } = await readBundle(call, target, { home });
  const told = { output: target, bytes, entries: entries.length, completeness, ...signed };
  output.result(told, () =>
    [
      `${entries.length} entries, ${formatBytes(bytes)}, written to ${target}`,
      ...(signed === undefined ? [] : [`signed by ${signed.fingerprint}: ${signed.signature}`]),
      ...(completeness.is === 'shown' ? ['every leaf of the searched time is listed'] : []),
    ].join('\n'),
  );
}

async function signFile(
  { home, options, terminal }: Call<ExportOptions>,
  path: string,
): Promise<{ signature: string; fingerprint: string }> {
  const { passphraseFile } = options;
  const { signBytes } = await import('../harden/report-key.ts');
  const { readNamedFile } = await import('../harden/read-file.ts');
  const { signaturePath, writeBytes } = await import('../harden/write-report.ts');
  const passphrase = passphraseFile === undefined ? undefined : await readPassphrase(terminal, passphraseFile);
  const bytes = await readNamedFile(terminal, path, MAX_BUNDLE_BYTES);
  const { signature, fingerprint } = await signBytes(bytes, { home, passphrase, now: () => terminal.now() });
  await writeBytes(signaturePath(path), Buffer.from(signature), false);
  return { signature: signaturePath(path), fingerprint };
}

interface VerifyBundleOptions {
  readonly vkey?: string;
  readonly head?: string;
  readonly key?: string;
}

async function verifyBundle(call: Call<VerifyBundleOptions>): Promise<void> {
  const { options, operands, output, terminal } = call;
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  const head = options.head === undefined ? undefined : parseHead(options.head);
  const shown = await readBundle(call, file, { ...options, home: call.home, head });
  const { verifySigned } = await import('../harden/verify-report.ts');
  const { readNamedFile } = await import('../harden/read-file.ts');
  const signature = await verifySigned(call, file, await readNamedFile(terminal, file, MAX_BUNDLE_BYTES));
  if (signature.verdict === 'violated') throw new NectarError('AUDIT_EXPORT_INVALID', { reason: signature.reason });
  const { entries, filter, from, to, checkpoint, root, heads, completeness, keyFromOutside, exportedAt } = shown;
  const parsed = entries.map(({ index, leaf, body }) => ({
    index,
    leaf,
    ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }),
  }));
  const size = checkpoint.size;
  const facts = { origin: checkpoint.origin, filter, from, to, exportedAt, size, root, heads, completeness };
  output.result({ verified: true, ...facts, keyFromOutside, signature, entries: parsed }, () =>
    [
      renderFacts([
        ['verified', `${entries.length} entries are in the log ${printable(checkpoint.origin)}`],
        ['asked for', `${printable(describeAuditFilter(filter))}, leaves ${from} to ${to - 1}, on ${exportedAt}`],
        ['tree', `${size} leaves, root ${root}`],
        ...heads.map((each) => ['same log', `${each.size} leaves, ${printable(each.where)}`] as const),
        [
          'log key',
          keyFromOutside ? 'as given' : 'as the bundle states it: give --vkey, or compare a root with an anchor',
        ],
        ['OpenPGP', signature.verdict === 'ok' ? `signed by ${signature.fingerprint}` : signature.reason],
        ['complete', completeness.is === 'shown' ? 'shown: every leaf is here' : `not shown: ${completeness.reason}`],
      ]),
      renderEntries(parsed),
    ].join('\n\n'),
  );
}

interface Expected {
  readonly vkey?: string | undefined;
  readonly head?: { readonly size: number; readonly root: string } | undefined;
  readonly home: string;
}

async function readBundle({ terminal }: Call<unknown>, file: string, { vkey, head, home }: Expected) {
  const { readNamedFile } = await import('../harden/read-file.ts');
  const { vkeyOf } = await import('../harden/verify-report.ts');
  const known = vkey ?? (await vkeyOf(home));
  const bytes = await readNamedFile(terminal, file, MAX_BUNDLE_BYTES);
  return verifyAuditBundle(bundleLines(bytes), {
    ...(known !== undefined && { vkey: known }),
    ...(head !== undefined && { head }),
  });
}

function parseHead(text: string): { size: number; root: string } {
  const [, size = '', root = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (root === '') throw new NectarError('CLI_USAGE', { problem: '--head is SIZE:ROOT, the root in hex' });
  return { size: Number(size), root };
}
