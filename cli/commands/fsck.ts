import { type Command, Option } from 'commander';
import { FsckReport } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { TakenBackEntries } from '../life/repository/take-back-entries.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { renderFacts, renderTable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { credentialsOf, credentialsOption } from './choose-repository.ts';

export function registerFsck(program: Command, terminal: Terminal): void {
  addVerb(program, 'fsck', {
    summary: 'rebuild the index of the records from what it still holds',
    about:
      'Listings, references and counters are made anew from the versions; values that do not open are removed; what cannot be rebuilt is named: the key of a version is in the index and in backups only. With --from the node takes back from a backup what its index lacks: entries that open under its own keys, that its log made, and whose record was not destroyed since; contents in files of their own (larger ones) come from `restore`, or from peers by `scrub`. `status` says when it is needed. With --accept an index (or a log) that was put back to an older copy is taken for what it is: what it lacks stays named as lost, and everything goes on. Before that, look for the newest copy: put in place, it loses nothing.',
    examples: ['fsck', 'fsck --from /mnt/backup/clinic', 'fsck --accept', 'fsck --json | jq .lost'],
  })
    .addOption(new Option('--accept', 'go on with an older index or log, without what it lacks'))
    .addOption(
      new Option('--from <backup>', 'a repository, or a file of `backup --out`, that has what the index lacks'),
    )
    .addOption(credentialsOption())
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, fsck));
}

interface FsckOptions {
  readonly accept?: boolean;
  readonly yes?: boolean;
  readonly from?: string;
  readonly credentials?: string;
}

async function fsck(call: Call<FsckOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  const { from } = options;
  const accept = options.accept === true;
  await withNode(call, async (client) => {
    if (accept) {
      await confirmAction(terminal, {
        action: 'accepting the index as it is',
        message: 'Go on without what the index lacks? The newest copy of it can then no longer be put in place.',
        yes: options.yes === true,
      });
    }
    const taken =
      from === undefined
        ? undefined
        : await showWork(terminal, output, 'offering what the backup has of the index', async () => {
            const { takeBackEntries } = await import('../life/repository/take-back-entries.ts');
            return takeBackEntries({ home, terminal, client, from, credentials: credentialsOf(terminal, options) });
          });
    const report = await showWork(terminal, output, 'rebuilding the index', () =>
      client.json(FsckReport, 'POST', '/v1/fsck', { accept }),
    );
    output.result({ ...report, ...(taken !== undefined && { taken }) }, () =>
      [...(taken === undefined ? [] : [describeTaken(taken)]), renderReport(report)].join('\n'),
    );
  });
}

function describeTaken({ offered, adopted, refused }: TakenBackEntries): string {
  return `taken back ${adopted} of ${offered} versions that the backup has; ${refused} were refused: destroyed since, not of this log, or sealed by a key that the index had before another root key`;
}

function renderReport(report: FsckReport): string {
  const { records, versions, rebuilt, removed, lostVersions, lost } = report;
  const facts = renderFacts([
    ['records', `${records}, with ${versions} versions`],
    ['made anew', `${rebuilt} entries`],
    ['removed', `${removed} values that did not open or pointed nowhere`],
    ['lost', lostVersions === 0 ? 'nothing' : `${lostVersions} versions; a backup may have them`],
  ]);
  if (lost.length === 0) return facts;
  const rows = lost.map(({ recordId, version }) => [recordId ?? '', String(version ?? '')]);
  return `${facts}\n\n${renderTable([{ title: 'LOST RECORD' }, { title: 'VER', alignRight: true }], rows)}`;
}
