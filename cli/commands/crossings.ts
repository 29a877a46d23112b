import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { parseCount } from '../option-parsers.ts';
import type { IssuedCrossings } from '../provision/crossings/crossings-folder.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { requireCluster } from './tls.ts';

interface Options {
  readonly out: string;
  readonly emit?: string;
  readonly instance?: string;
  readonly days: number;
}

/** Longer than an authority lives is of no use. */
const MAX_DAYS = 3650;
const NEXT_STEP: Readonly<Record<IssuedCrossings['rotation'], string>> = {
  none: 'Give each role its folder as a Secret: tls.crt, tls.key, ca.crt. Keep ca/ with whoever renews; no role needs it.',
  announced:
    'The next authority is in every ca.crt. Bring the folders to all roles; when each has read them, `crossings rotate` again moves to it.',
  moved:
    'Certificates are of the new authority. Bring the folders to all roles; when each has read them, `crossings rotate` again forgets the one before.',
};

export function registerCrossings(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'crossings', 'issue the certificates by which the roles of a node know one another');
  addVerb(group, 'issue', {
    summary: 'make, or renew, the certificates of a node whose roles meet over TLS',
    about:
      'For a cluster without cert-manager. The folder gets ca/ (the authority of this node alone and its key) and a folder for each role, as its Secret of type kubernetes.io/tls holds it. Run again, it renews the certificates; roles take them without a restart.',
    examples: ['crossings issue --out crossings --instance nectar.clinic', 'crossings issue --out crossings --days 30'],
  })
    .addOption(outOption())
    .addOption(new Option('--instance <name>', 'the node among others of its cluster: <release>.<namespace>'))
    .addOption(daysOption())
    .action(action(terminal, issue));
  addVerb(group, 'rotate', {
    summary: 'replace the authority in three steps, between which every role gets its files',
    about:
      'Step 1 announces the next authority: roles believe both. Step 2 issues certificates of it. Step 3 forgets the one before. Run again for the next step; the answer says which it was. With --emit, the same in the folder of `init --target kubernetes --emit`, as Secrets to apply. After an interruption, `crossings issue --out` (or `tls renew --emit`) writes the files of the step that is reached.',
    examples: ['crossings rotate --out crossings', 'crossings rotate --emit ./clinic'],
  })
    .addOption(outOption().makeOptionMandatory(false))
    .addOption(new Option('--emit <folder>', 'write Secrets into the folder that `init --emit` made').conflicts('out'))
    .addOption(daysOption())
    .action(action(terminal, rotate));
}

const outOption = (): Option =>
  new Option('-o, --out <folder>', 'where authority and certificates are, or will be').makeOptionMandatory();
const daysOption = (): Option =>
  new Option('--days <count>', 'how long the certificates of the roles are good').default(90).argParser(parseCount);

async function issue({ options, output }: Call<Options>): Promise<void> {
  const { issueCrossings } = await import('../provision/crossings/crossings-folder.ts');
  const issued = await issueCrossings({ ...requestOf(options), instance: options.instance });
  output.result(issued, () => render(issued));
}

async function rotate({ home, options, terminal, output }: Call<Options>): Promise<void> {
  if (options.emit !== undefined) {
    requireCluster(home);
    const { rotateSecrets } = await import('../life/renew-secrets.ts');
    const { renderRenewedSecrets } = await import('../render/renewed-secrets.ts');
    const rotated = await rotateSecrets({ home, terminal, folder: resolve(terminal.workingFolder, options.emit) });
    output.result(rotated, () => renderRenewedSecrets(rotated));
    return;
  }
  if (options.out === undefined) throw new NectarError('CLI_USAGE', { problem: 'name --out FOLDER, or --emit FOLDER' });
  const { rotateCrossings } = await import('../provision/crossings/crossings-folder.ts');
  const issued = await rotateCrossings(requestOf(options));
  output.result(issued, () => render(issued));
}

function requestOf({ out, days }: Options): { folder: string; days: number; now: number } {
  if (days > MAX_DAYS) throw new NectarError('CLI_USAGE', { problem: `--days is ${MAX_DAYS} at most` });
  return { folder: out, days, now: Date.now() };
}

function render({ instance, rotation, authority, roles }: IssuedCrossings): string {
  const rows = roles.map(({ role, folder, notAfter }) => [role, notAfter, printable(folder)]);
  return [
    `${authority.isNew ? 'New authority' : 'Authority'} of ${instance}, until ${authority.notAfter}`,
    `SHA-256 ${authority.fingerprint}`,
    renderTable([{ title: 'ROLE' }, { title: 'UNTIL' }, { title: 'FOLDER' }], rows),
    NEXT_STEP[rotation],
  ].join('\n');
}
