import { dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { refuseExisting } from '../home-folder.ts';
import { leaving } from '../interruption.ts';
import { parseCount } from '../option-parsers.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes, formatDuration } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';
import { credentialsOption } from './choose-repository.ts';
import { type RestoreOptions, restoreFromRepository, restoreRequest, withRepository } from './restore-from.ts';
import { passphraseFileOption } from './unlock.ts';
import { DEFAULT_READY, describeStarted, startNode } from './up.ts';

const DEFAULT_SAMPLE = 32;

interface RecoverOptions extends RestoreOptions {
  readonly rehearse?: boolean;
  readonly sample: number;
  readonly scratch?: string;
  readonly timeout: string;
}

export function registerRecover(program: Command, terminal: Terminal): void {
  addVerb(program, 'recover <place>', {
    summary: 'from a backup repository and the key file or passphrase to a running node, on an empty machine',
    about:
      'Restores the newest snapshot and starts the node. With --rehearse it does the same to a scratch folder, verifies the log, reads records, starts nothing and throws the folder away: what takes long or is missing is found on a quiet day. The old node must never run again beside the new one: both would sign as one.',
    examples: [
      'recover /mnt/backup/clinic --home /srv/clinic --key-file /mnt/safe/clinic.key',
      'recover s3://clinic-backup/node-1 --credentials /etc/nectar/s3 --key-file /mnt/safe/clinic.key --rehearse',
    ],
  })
    .addOption(new Option('--key-file <path>', 'the key file of the node'))
    .addOption(passphraseFileOption())
    .addOption(credentialsOption())
    .addOption(new Option('--snapshot <n>', 'the records as of this one (default: the newest)').argParser(parseCount))
    .addOption(new Option('--target <target>', 'where it will run').choices(['process', 'docker']).default('process'))
    .addOption(new Option('--engine <socket>', 'docker: the container engine'))
    .addOption(new Option('--timeout <duration>', 'how long to wait until it is ready').default(DEFAULT_READY))
    .addOption(new Option('--rehearse', 'restore to a scratch folder, read from it, and leave nothing'))
    .addOption(new Option('--sample <n>', 'rehearse: records to read').argParser(parseCount).default(DEFAULT_SAMPLE))
    .addOption(new Option('--scratch <dir>', 'rehearse: folder to restore to (default: beside the home)'))
    .action(action(terminal, recover));
}

function recover(call: Call<RecoverOptions>): Promise<void> {
  return call.options.rehearse === true ? rehearse(call) : recoverNode(call);
}

async function recoverNode(call: Call<RecoverOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  refuseExisting(home);
  const begun = performance.now();
  const progress = await showByteProgress(terminal, 'restore', undefined, output.json);
  try {
    const restored = await restoreFromRepository(
      call,
      restoreRequest(call, (bytes) => progress.advance(bytes)),
    );
    progress.done();
    const { passphraseFile, timeout } = options;
    const start = { ...(passphraseFile !== undefined && { passphraseFile }), timeout };
    const left = (): string => `the node is restored in ${home}; \`nectar-byon up\` starts it`;
    const node = await leaving(terminal, left, () => startNode({ home, options: start, terminal, output }));
    const milliseconds = Math.round(performance.now() - begun);
    const { nodeId, createdAt } = restored.header;
    const { bytes, entries } = restored;
    output.result({ home, nodeId, createdAt, entries, bytes, milliseconds, ...node }, () =>
      [
        `node ${nodeId.slice(0, 8)} as of ${createdAt}, ${formatBytes(bytes)}: ${describeStarted(node)}`,
        `recovery took ${formatDuration(milliseconds)}; next: audit verify, scrub, backup schedule`,
      ].join('\n'),
    );
  } finally {
    progress.done();
  }
}

async function rehearse(call: Call<RecoverOptions>): Promise<void> {
  const { home, options, operands, terminal, output } = call;
  const { restoreAndRead } = await import('../life/repository/verify-repository.ts');
  const scratch = options.scratch === undefined ? dirname(home) : resolve(terminal.workingFolder, options.scratch);
  const progress = await showByteProgress(terminal, 'rehearse', undefined, output.json);
  try {
    const begun = performance.now();
    const done = await withRepository(call, (target, unlock) =>
      restoreAndRead({
        ...{ target, unlock, scratch, generation: options.snapshot, whole: true, sample: options.sample },
        signal: terminal.signal,
        onBytes: (bytes) => progress.advance(bytes),
      }),
    );
    progress.done();
    const milliseconds = Math.round(performance.now() - begun);
    const { snapshot, faults, bytes, records, leaves } = done;
    const [first] = faults;
    if (first !== undefined)
      throw new NectarError('BACKUP_VERIFY_FAILED', { target: operands[0] ?? '', faults: faults.length, first });
    const of = { generation: snapshot?.generation, createdAt: snapshot?.createdAt };
    output.result({ rehearsed: true, ...of, bytes, records, leaves, milliseconds }, () =>
      [
        `snapshot ${of.generation} as of ${of.createdAt} restores here with the secret at hand`,
        `recovery took ${formatDuration(milliseconds)} for ${formatBytes(bytes)}: ${records} records read, ${leaves} leaves of the log verified; nothing was started, nothing stays`,
      ].join('\n'),
    );
  } finally {
    progress.done();
  }
}
