import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { recordCopies } from '../life/copy-reports.ts';
import { prepareStart } from '../life/prepare-start.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { bringUp } from '../provision/process/bring-up.ts';
import { parseDuration } from '../render/quantities.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';

export const DEFAULT_READY = '120s';
/** A node that has just become ready may still refuse: a neighbour of its gateway is being found again. */
const RECORD_PATIENCE_MS = 10_000;

interface UpOptions {
  readonly passphraseFile?: string;
  readonly emit?: 'compose';
  readonly timeout: string;
}

export function registerUp(program: Command, terminal: Terminal): void {
  addVerb(program, 'up', {
    summary: 'start the node in the background; after a crash it recovers by itself',
    about: 'A node that opens with a passphrase asks for it here, or stays up and locked until `nectar-byon unlock`.',
    examples: ['up', 'up --passphrase-file /run/secrets/nectar', 'up --home /srv/clinic --json'],
  })
    .addOption(passphraseFileOption())
    .addOption(new Option('--timeout <duration>', 'how long to wait until it is ready').default(DEFAULT_READY))
    .addOption(
      new Option('--emit <format>', 'containers: write a Compose file into the home, and start nothing').choices([
        'compose',
      ]),
    )
    .action(action(terminal, up));
}

export function requireDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new NectarError('CLI_USAGE', { problem: `the duration ${text} is not of the form 90d, 12h, 30m or 45s` });
  return ms;
}

type UpCall = Pick<Call<UpOptions>, 'home' | 'options' | 'terminal' | 'output'>;

async function upContainers({ home, options, terminal, output }: UpCall, timeoutMs: number): Promise<void> {
  const { passphraseFile, emit } = options;
  if (emit !== undefined) {
    const { emitCompose } = await import('../provision/docker/emit-compose.ts');
    const path = await showWork(terminal, output, 'writing the Compose file', () => emitCompose(home, terminal));
    output.result({ home, compose: path }, path);
    return;
  }
  const { prepareContainers } = await import('../life/prepare-containers.ts');
  await prepareContainers({ home, terminal, output, passphraseFile });
  const { bringUpDocker } = await import('../provision/docker/bring-up.ts');
  const node = await bringUpDocker({ home, terminal, output, timeoutMs, passphraseFile });
  await recordCopies({ home, signal: terminal.signal, patienceMs: node.ready ? RECORD_PATIENCE_MS : 0 });
  output.result({ home, ...node }, () =>
    node.ready ? `ready at ${node.gateway}` : `up at ${node.gateway}, and locked: open it with \`nectar-byon unlock\``,
  );
}

async function up({ home, options, terminal, output }: Call<UpOptions>): Promise<void> {
  requireHome(home);
  const timeoutMs = requireDuration(options.timeout);
  if (findTarget(home) !== undefined) return upContainers({ home, options, terminal, output }, timeoutMs);
  const { passphraseFile } = options;
  const { passphrase } = await prepareStart({ home, terminal, output, passphraseFile });
  const node = await bringUp({ home, terminal, output, timeoutMs, passphraseFile, passphrase });
  await recordCopies({ home, signal: terminal.signal, patienceMs: node.ready ? RECORD_PATIENCE_MS : 0 });
  const { pid } = node.running;
  output.result({ home, gateway: node.gateway, pid, ready: node.ready }, () =>
    node.ready ? `ready at ${node.gateway}` : `up at ${node.gateway}, and locked: open it with \`nectar-byon unlock\``,
  );
}
