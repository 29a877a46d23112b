import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { devnetFolder } from '../home-folder.ts';
import type { Restored, RestoreRequest } from '../life/backup/restore-home.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { passphraseFileOption } from './unlock.ts';

interface RestoreOptions {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly check?: boolean;
  readonly target: 'process' | 'docker';
  readonly engine?: string;
}

export function registerRestore(program: Command, terminal: Terminal): void {
  addVerb(program, 'restore <file>', {
    summary: 'make a node again from a backup, on this or another machine',
    about:
      'Verifies every hash and the signature before anything is put in place, and never overwrites a node. The old node must never run again beside it: both would sign as one.',
    examples: [
      'restore /mnt/usb/clinic.nectar-backup --home /srv/clinic --key-file /mnt/safe/clinic.key',
      'restore clinic.nectar-backup --check                # only verify it',
    ],
  })
    .addOption(new Option('--key-file <path>', 'the key file of the node (default: where the backup says it was)'))
    .addOption(passphraseFileOption())
    .addOption(new Option('--target <target>', 'where it will run').choices(['process', 'docker']).default('process'))
    .addOption(
      new Option('--engine <socket>', 'docker: the container engine (default: DOCKER_HOST, else its usual socket)'),
    )
    .addOption(new Option('--check', 'verify the backup, and leave nothing behind'))
    .action(action(terminal, restore));
}

async function restore(call: Call<RestoreOptions>): Promise<void> {
  const { home, options, operands, terminal, output } = call;
  const { unlockKeys } = await import('../life/unlock-keys.ts');
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  const keyFile = options.keyFile === undefined ? undefined : resolve(terminal.workingFolder, options.keyFile);
  const check = options.check === true;
  const progress = showByteProgress(terminal, check ? 'verify' : 'restore', undefined, output.json);
  try {
    const request: RestoreRequest = {
      ...{ file, home, keyFile, check },
      signal: terminal.signal,
      now: () => terminal.now(),
      onBytes: (count) => progress.advance(count),
      unlock: (folder) => unlockKeys({ home: folder, terminal, keyFile, passphraseFile: options.passphraseFile }),
    };
    const { header, entries, bytes } = await run(request, call);
    progress.done();
    const { nodeId, createdAt } = header;
    const restored = !check;
    output.result({ file, ...(restored && { home }), nodeId, createdAt, entries, bytes, restored }, () => {
      const what = `${entries} files, ${formatBytes(bytes)}, node ${nodeId.slice(0, 8)} as of ${createdAt}`;
      return restored ? `restored to ${home}: ${what}\nstart it with \`nectar-byon up\`` : `intact: ${what}`;
    });
  } finally {
    progress.done();
  }
}

async function run(request: RestoreRequest, { options, terminal }: Call<RestoreOptions>): Promise<Restored> {
  if (options.target === 'process' || request.check) {
    const { restoreHome } = await import('../life/backup/restore-home.ts');
    return restoreHome(request);
  }
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { restoreContainers } = await import('../life/restore-containers.ts');
  const devnet = devnetFolder(terminal, undefined);
  return restoreContainers({ ...request, engine: openEngine(terminal, options.engine), version: VERSION, devnet });
}
