import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { KeptRepositories, RemovedObjects } from '../../appliance/gateway/custody-schemas.ts';
import { IssuedToken } from '../../appliance/gateway/token-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { writeOutputFile } from '../output-file.ts';
import { confirmAction } from '../prompt.ts';
import { formatBytes, parseDuration } from '../render/quantities.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

interface GrantOptions {
  readonly output: string;
  readonly expires: string;
  readonly prune?: boolean;
}

/** Backup repositories that this node keeps for other nodes. */
export function registerCustody(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'custody', 'keep backup repositories of other nodes, sealed for them');
  addVerb(group, 'grant <owner>', {
    summary: 'let another node keep its backups here: writes the file that it names with --credentials',
    about:
      'The file holds a token for one repository, the one of this owner, and the certificate authority of this node. Whoever has it adds to that repository and reads what is sealed in it; it reads no record of this node, replaces nothing, and takes away nothing but key tables that a snapshot signed by the owner supersedes. With --prune it also removes old snapshots: keep such a file apart from the node that is backed up. Bounds: `custody.maxBytesPerRepository`, `custody.maxRepositories`. A new file for the same owner opens the same repository; `token revoke` ends a file.',
    examples: [
      'custody grant clinic-a -o clinic-a.access',
      'custody grant clinic-a --prune --expires 1d -o clinic-a-prune.access',
    ],
  })
    .requiredOption('-o, --output <file>', 'the file to write; only you can read it')
    .addOption(new Option('--expires <duration>', 'how long it is good for: 365d, 12h').default('365d'))
    .addOption(new Option('--prune', 'may remove old snapshots, too'))
    .action(action(terminal, grant));
  addVerb(group, 'list', {
    summary: 'show the repositories that this node keeps for others',
    examples: ['custody list', 'custody list --json'],
  }).action(action(terminal, list));
  addVerb(group, 'remove <owner>', {
    summary: 'remove the whole repository of an owner from this node',
    about: 'What is in it is gone for its owner. Its tokens stay: end them with `token revoke`.',
    examples: ['custody remove clinic-a'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, remove));
}

async function grant(call: Call<GrantOptions>): Promise<void> {
  const { home, options, operands, output, terminal } = call;
  const [subject = ''] = operands;
  const expiresInMs = parseDuration(options.expires);
  if (expiresInMs === undefined)
    throw new NectarError('CLI_USAGE', { problem: `the duration ${options.expires} is not of the form 365d or 12h` });
  const { encodeNodeCredentials } = await import('../life/repository/node-credentials.ts');
  const ca = await readFile(join(home, 'tls', 'ca.crt'), 'utf8');
  const file = resolve(terminal.workingFolder, options.output);
  await withNode(call, async (client) => {
    const issued = await client.json(IssuedToken, 'POST', '/v1/tokens', {
      subject,
      name: `backups of ${subject}`,
      scope: ['backups:write', ...(options.prune === true ? ['backups:prune'] : [])],
      expiresInSeconds: expiresInMs / 1000,
    });
    const about = `Opens the backup repository of ${printable(subject)} at ${client.gateway}, until ${issued.expiresAt}.`;
    await writeOutputFile(file, once(encodeNodeCredentials({ token: issued.token, ca }, about)), false);
    const { token: _written, ...facts } = issued;
    output.result({ ...facts, output: file }, () =>
      [
        `${file} opens the repository of ${printable(subject)} until ${issued.expiresAt.slice(0, 10)}; token ${issued.id}`,
        `at the other node: backup --to ${client.gateway.replace('https://', 'node://')} --credentials FILE, by a name of this node that it reaches`,
      ].join('\n'),
    );
  });
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function list(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const answer = await client.json(KeptRepositories, 'GET', '/v1/custody');
    call.output.result(answer, () => {
      if (answer.repositories.length === 0) return 'this node keeps no repository for others';
      const columns = [
        { title: 'OWNER' },
        { title: 'NODE' },
        { title: 'SNAPSHOT', alignRight: true },
        { title: 'AS OF' },
        { title: 'SIZE', alignRight: true },
      ];
      const rows = answer.repositories.map(({ owner, nodeId, generation, snapshotAt, bytes }) => [
        printable(owner),
        nodeId.slice(0, 8),
        generation === 0 ? 'none yet' : String(generation),
        snapshotAt,
        formatBytes(bytes),
      ]);
      return renderTable(columns, rows);
    });
  });
}

async function remove(call: Call<{ readonly yes?: boolean }>): Promise<void> {
  const { options, operands, output, terminal } = call;
  const [owner = ''] = operands;
  await withNode(call, async (client) => {
    await confirmAction(terminal, {
      action: `removing the repository of ${printable(owner)}`,
      message: `Remove every snapshot of ${printable(owner)} from this node?`,
      yes: options.yes === true,
    });
    const path = `/v1/custody?owner=${encodeURIComponent(owner)}`;
    const removed = await client.json(RemovedObjects, 'DELETE', path);
    output.result({ owner, ...removed }, `removed ${removed.objects} objects, ${formatBytes(removed.bytes)}`);
  });
}
