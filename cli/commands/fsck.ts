import { type Command, Option } from 'commander';
import { FsckReport } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { renderFacts, renderTable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

export function registerFsck(program: Command, terminal: Terminal): void {
  addVerb(program, 'fsck', {
    summary: 'rebuild the index of the records from what it still holds',
    about:
      'Listings, references and counters are made anew from the versions; values that do not open are removed; what cannot be rebuilt is named: the key of a version is in the index and in backups only. `status` says when it is needed. With --accept an index (or a log) that was put back to an older copy is taken for what it is: what it lacks stays named as lost, and everything goes on. Before that, look for the newest copy: put in place, it loses nothing.',
    examples: ['fsck', 'fsck --accept', 'fsck --json | jq .lost'],
  })
    .addOption(new Option('--accept', 'go on with an older index or log, without what it lacks'))
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, fsck));
}

async function fsck(call: Call<{ accept?: boolean; yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  const accept = options.accept === true;
  await withNode(call, async (client) => {
    if (accept) {
      await confirmAction(terminal, {
        action: 'accepting the index as it is',
        message: 'Go on without what the index lacks? The newest copy of it can then no longer be put in place.',
        yes: options.yes === true,
      });
    }
    const report = await showWork(terminal, output, 'rebuilding the index', () =>
      client.json(FsckReport, 'POST', '/v1/fsck', { accept }),
    );
    output.result(report, () => renderReport(report));
  });
}

export function renderReport(report: FsckReport): string {
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
