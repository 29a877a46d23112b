import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { clusterOptions } from '../cluster-options.ts';
import { engineOption } from '../engine-option.ts';
import { homeFolder, refuseExisting } from '../home-folder.ts';
import { chooseAnswers, chooseTarget, type InitOptions, passphraseFor, refuseUnfit } from '../init-answers.ts';
import { collect, parsePort, parseSize } from '../option-parsers.ts';
import { preflight } from '../preflight.ts';
import { renderNext, renderPlan } from '../render/plan.ts';
import type { Terminal } from '../terminal.ts';
import { describeKeyFile, findUnlockOffers, INIT_UNLOCKS } from '../unlock-offers.ts';
import { devnetOption } from './devnet.ts';
import { requireDuration } from './up.ts';

export function registerInit(program: Command, terminal: Terminal): void {
  const verb = addVerb(program, 'init', {
    summary: 'make a node and leave it running: asks a few questions, does everything else',
    about:
      'Examines the machine, makes keys, identities, certificates and a token, starts the node and has it admitted to the network. Refuses to overwrite anything. Interrupted, it leaves nothing of the node behind; a devnet that it started goes on running.',
    examples: [
      'init',
      'init --yes',
      'init --plan --yes                           # what it would make; changes nothing',
      'init --home /srv/clinic --unlock passphrase',
      'init --yes --unlock file --key-file /run/secrets/nectar.key --json',
      'init --unlock tpm2                          # a copy of the disk opens nothing: the key rests in the TPM',
      'init --target docker --host 192.168.1.20 --name clinic.example',
      'init --target kubernetes --network network.json --namespace clinic --registry registry.example/nectar',
      'init --target kubernetes --network network.json --emit ./clinic   # for GitOps',
      'init --target kubernetes --rbac',
    ],
  })
    .addOption(
      new Option('--network <name>', '`devnet`, or a <file> with the signed descriptor of a network').default('devnet'),
    )
    .addOption(devnetOption())
    .addOption(
      new Option(
        '--target <target>',
        'where it runs (default: process; asked for where a container engine answers)',
      ).choices(['process', 'docker', 'kubernetes']),
    )
    .addOption(
      new Option('--unlock <how>', 'what opens the node at a start (default: asked for; file with --yes)').choices(
        INIT_UNLOCKS,
      ),
    )
    .addOption(new Option('--key-file <path>', 'where the key file lies or will lie; never inside the home'))
    .addOption(
      new Option('--passphrase-file <path>', 'file that holds the passphrase; - is stdin (default: asked for)'),
    )
    .addOption(new Option('--host <address>', 'address of the HTTPS API (default: asked for; 127.0.0.1 with --yes)'))
    .addOption(new Option('--port <n>', 'port of the HTTPS API (default: 8443 or the next free)').argParser(parsePort))
    .addOption(new Option('--p2p-port <n>', 'port for peers (default: 4640 or the next free)').argParser(parsePort))
    .addOption(
      new Option(
        '--offer <size>',
        'disk space for encrypted data of other members, such as 100GiB (default: asked for; none with --yes)',
      ).argParser(parseSize),
    )
    .addOption(
      new Option('--name <name>', 'further name or address in the certificate; repeat for more')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait until the node is ready and admitted').default('180s'),
    )
    .addOption(
      new Option('--snapshot <file>', 'begin with the state of L2 in this file (`chain snapshot`), checked against L1'),
    )
    .addOption(engineOption())
    .addOption(
      new Option(
        '--emit <what>',
        'docker: `compose` writes a Compose file into the home; kubernetes: a new <folder> for Secrets, values and their README',
      ),
    )
    .addOption(new Option('--plan', 'print every file, port, process and container it would make, and change nothing'))
    .addOption(new Option('-y, --yes', 'ask nothing'));
  for (const option of clusterOptions()) verb.addOption(option);
  verb.addOption(
    new Option('--rbac', 'kubernetes: print the least rights that the commands need, as YAML, and do nothing'),
  );
  verb.action(action(terminal, init));
}

async function init(asked: Call<InitOptions>): Promise<void> {
  const target = await chooseTarget(asked);
  const call = { ...asked, options: { ...asked.options, target } };
  const { options } = call;
  if (options.snapshot !== undefined && options.target !== 'process')
    throw new NectarError('CLI_USAGE', { problem: '--snapshot goes with --target process' });
  if (options.target === 'kubernetes') return (await import('../init-kubernetes.ts')).initOnKubernetes(call);
  if (options.rbac === true) throw new NectarError('CLI_USAGE', { problem: '--rbac goes with --target kubernetes' });
  if (options.emit !== undefined && options.emit !== 'compose')
    throw new NectarError('CLI_USAGE', { problem: '--emit is `compose`, or with --target kubernetes a folder' });
  if (options.target === 'docker') return (await import('../init-docker.ts')).initOnDocker(call);
  if (options.emit !== undefined || options.engine !== undefined)
    throw new NectarError('CLI_USAGE', { problem: '--engine and --emit go with --target docker' });
  return initAsProcess(call);
}

async function initAsProcess(call: Call<InitOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  const { initNode } = await import('../provision/process/init-node.ts');
  const { findL1, planHome } = await import('../provision/process/plan-home.ts');
  const timeoutMs = requireDuration(options.timeout);
  refuseExisting(home);
  const chosen = await chooseAnswers(call);
  const plan = await planHome(chosen, terminal);
  const checks = await preflight(
    {
      home,
      ports: [
        { name: 'API port', port: plan.port, host: plan.host },
        { name: 'p2p port', port: plan.p2pPort, host: plan.p2pHost },
      ],
      l1Rpc: findL1(plan),
    },
    terminal,
  );
  if (options.plan === true) {
    output.result({ plan, checks }, () => renderPlan(plan, checks, output));
    return;
  }
  refuseUnfit(checks, output);
  const passphrase = await passphraseFor(plan.unlock, chosen.passphrase, call);
  const snapshot = options.snapshot === undefined ? undefined : resolve(terminal.workingFolder, options.snapshot);
  const made = await initNode({ plan, passphrase, names: chosen.names, snapshot, timeoutMs, terminal, output });
  output.result(made, () => renderNext(made, home === homeFolder(terminal, undefined)));
  output.note(
    '\nAfter a reboot nothing starts it yet: `nectar-byon service install` has systemd, OpenRC or cron do so.',
  );
  if (plan.keyFile !== undefined)
    output.note(`\n${describeKeyFile({ keyFile: plan.keyFile, home }, findUnlockOffers(terminal)).join('\n')}`);
}
