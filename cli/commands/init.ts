import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { devnetFolder, homeFolder, refuseExisting } from '../home-folder.ts';
import { askForInit } from '../init-wizard.ts';
import { collect, parsePort } from '../option-parsers.ts';
import { checkPassphrase, readPassphrase } from '../passphrase.ts';
import { preflight } from '../preflight.ts';
import { renderChecks } from '../render/checks.ts';
import { renderNext, renderPlan } from '../render/plan.ts';
import { isInteractive, type Terminal } from '../terminal.ts';
import { devnetOption } from './devnet.ts';
import { requireDuration } from './up.ts';

export interface InitOptions {
  readonly network: string;
  readonly target: 'process' | 'docker' | 'kubernetes';
  readonly unlock?: 'passphrase' | 'file';
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly host: string;
  readonly port?: number;
  readonly p2pPort?: number;
  readonly name: readonly string[];
  readonly devnet?: string;
  readonly timeout: string;
  readonly plan?: boolean;
  readonly yes?: boolean;
}

export function registerInit(program: Command, terminal: Terminal): void {
  addVerb(program, 'init', {
    summary: 'make a node and leave it running: asks a few questions, does everything else',
    about:
      'Examines the machine, makes keys, identities, certificates and a token, starts the node and has it admitted to the network. Refuses to overwrite anything. Interrupted, it leaves nothing behind.',
    examples: [
      'init',
      'init --yes',
      'init --plan --yes                           # what it would make; changes nothing',
      'init --home /srv/clinic --unlock passphrase',
      'init --yes --unlock file --key-file /run/secrets/nectar.key --json',
    ],
  })
    .addOption(
      new Option('--network <name>', '`devnet`, or a <file> with the signed descriptor of a network').default('devnet'),
    )
    .addOption(devnetOption())
    .addOption(
      new Option('--target <target>', 'where it runs').choices(['process', 'docker', 'kubernetes']).default('process'),
    )
    .addOption(
      new Option('--unlock <how>', 'what opens the node at a start (default: asked for; file with --yes)').choices([
        'passphrase',
        'file',
      ]),
    )
    .addOption(new Option('--key-file <path>', 'where the key file lies or will lie; never inside the home'))
    .addOption(
      new Option('--passphrase-file <path>', 'file that holds the passphrase; - is stdin (default: asked for)'),
    )
    .addOption(new Option('--host <address>', 'address of the HTTPS API').default('127.0.0.1'))
    .addOption(new Option('--port <n>', 'port of the HTTPS API (default: 8443 or the next free)').argParser(parsePort))
    .addOption(new Option('--p2p-port <n>', 'port for peers (default: 4640 or the next free)').argParser(parsePort))
    .addOption(
      new Option('--name <name>', 'further name or address in the certificate; repeat for more')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait until the node is ready and admitted').default('180s'),
    )
    .addOption(new Option('--plan', 'print every file, port and process it would make, and change nothing'))
    .addOption(new Option('-y, --yes', 'ask nothing'))
    .action(action(terminal, init));
}

async function init(call: Call<InitOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  const { initNode } = await import('../provision/process/init-node.ts');
  const { findL1, planHome } = await import('../provision/process/plan-home.ts');
  if (options.target !== 'process') throw new NectarError('CLI_TARGET_UNAVAILABLE', { target: options.target });
  const timeoutMs = requireDuration(options.timeout);
  refuseExisting(home);
  const asks = options.yes !== true && options.plan !== true && !output.json && isInteractive(terminal);
  const base = { home, devnet: devnetFolder(terminal, options.devnet), host: options.host };
  const given = {
    ...base,
    network: options.network,
    unlock: options.unlock,
    keyFile: options.keyFile,
    port: options.port,
    p2pPort: options.p2pPort,
  };
  const chosen = asks
    ? await askForInit(given, terminal)
    : { ...given, unlock: options.unlock ?? defaultUnlock(options), passphrase: undefined };

  const plan = await planHome(chosen, terminal);
  const checks = await preflight(
    {
      home,
      ports: [
        { name: 'API port', port: plan.port, host: plan.host },
        { name: 'p2p port', port: plan.p2pPort, host: '0.0.0.0' },
      ],
      l1Rpc: findL1(plan),
    },
    terminal,
  );
  if (options.plan === true) {
    output.result({ plan, checks }, () => renderPlan(plan, checks, output));
    return;
  }
  output.note(`\n${renderChecks(checks, output)}\n`);
  const failed = checks.filter(({ grade }) => grade === 'bad').map(({ name, value }) => `${name}: ${value}`);
  if (failed.length > 0) throw new NectarError('CLI_PREFLIGHT_REFUSED', { checks: failed });

  const passphrase =
    plan.unlock === 'passphrase'
      ? (chosen.passphrase ?? (await readPassphrase(terminal, options.passphraseFile)))
      : undefined;
  if (passphrase !== undefined) checkPassphrase(passphrase);
  const made = await initNode({ plan, passphrase, names: options.name, timeoutMs, terminal, output });
  output.result(made, () => renderNext(made, home === homeFolder(terminal, undefined)));
}

/** A passphrase at hand says what is wanted; otherwise a key file lets the node start by itself. */
function defaultUnlock({ passphraseFile }: InitOptions): 'passphrase' | 'file' {
  return passphraseFile === undefined ? 'file' : 'passphrase';
}
