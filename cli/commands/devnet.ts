import { type Command, Option } from 'commander';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { devnetFolder } from '../home-folder.ts';
import { parseDevnetPort } from '../option-parsers.ts';
import { confirmByTyping } from '../prompt.ts';
import type { DevnetStatus } from '../provision/process/devnet.ts';
import { requireDevnet } from '../provision/process/devnet-home.ts';
import type { ChosenPorts } from '../provision/process/devnet-ports.ts';
import { renderFacts } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

interface DevnetOptions {
  readonly devnet?: string;
}

export function devnetOption(): Option {
  return new Option('--devnet <dir>', 'folder of the devnet (default: NECTAR_DEVNET_HOME, else your data folder)');
}

export function registerDevnet(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'devnet', 'a whole network for development on this machine: L1, sequencer, auditors');
  addVerb(group, 'up', {
    summary: 'start the devnet; the first time it is made',
    about:
      'Ports are chosen when the devnet is made. One that another program took since is changed with --port, while the devnet is down; nodes of the devnet take the new place at their next `up`.',
    examples: ['devnet up', 'devnet up --port l1=8546 --port rpc=9546', 'devnet up --json | jq -r .l2.rpcUrl'],
  })
    .addOption(devnetOption())
    .addOption(
      new Option(
        '--port <part=port>',
        'port of l1, rpc (the sequencer) or p2p (peers), as l1=8546; repeatable',
      ).argParser(parseDevnetPort),
    )
    .action(action(terminal, up));
  addVerb(group, 'down', { summary: 'stop the devnet; its state stays', examples: ['devnet down'] })
    .addOption(devnetOption())
    .action(action(terminal, down));
  addVerb(group, 'status', { summary: 'show its endpoints and heads', examples: ['devnet status'] })
    .addOption(devnetOption())
    .action(action(terminal, status));
  addVerb(group, 'destroy', {
    summary: 'stop the devnet and remove it, chain and keys; nodes that joined it are left without a network',
    about:
      'Homes of nodes stay as they are: they can be read, and no longer reach a chain. `devnet up` then makes another network.',
    examples: ['devnet destroy', 'devnet destroy --yes'],
  })
    .addOption(devnetOption())
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, destroy));
  addVerb(group, 'relay', {
    summary: 'let containers reach the devnet (what `init --target docker` starts in the background)',
    examples: ['devnet relay'],
    hidden: true,
  })
    .addOption(devnetOption())
    .action(action(terminal, relay));
  addVerb(group, 'fund <address>', {
    summary: 'send test ether to an L2 account, by a deposit on L1',
    examples: ['devnet fund 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --ether 5'],
  })
    .addOption(devnetOption())
    .addOption(new Option('--ether <amount>', 'amount of ether').default('1'))
    .action(action(terminal, fund));
  addVerb(group, 'eject <peer>', {
    summary: 'have both auditors of the devnet eject a node',
    examples: ['devnet eject 12D3KooW...'],
  })
    .addOption(devnetOption())
    .action(action(terminal, eject));
}

/** Loaded by need: the chain's libraries take half a second that no other command should spend. */
const load = () => import('../provision/process/devnet.ts');
const folderOf = (call: Call<DevnetOptions>) => devnetFolder(call.terminal, call.options.devnet);

async function up(call: Call<DevnetOptions & { port?: ChosenPorts }>): Promise<void> {
  const { terminal, output } = call;
  const { port: ports = {} } = call.options;
  const result = await showWork(terminal, output, 'devnet', async (say) =>
    (await load()).devnetUp(folderOf(call), { terminal, say, ports }),
  );
  output.result(result, () => renderDevnet(result));
}

async function down(call: Call<DevnetOptions>): Promise<void> {
  const { terminal, output } = call;
  const devnet = folderOf(call);
  const result = await showWork(terminal, output, 'stopping the devnet', async (say) =>
    (await load()).devnetDown(devnet, terminal.signal, say),
  );
  output.result({ devnet, ...result }, result.wasRunning ? 'stopped' : 'it was not running');
}

async function destroy(call: Call<DevnetOptions & { yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  const devnet = folderOf(call);
  requireDevnet(devnet);
  await confirmByTyping(terminal, {
    action: `destroying the devnet in ${devnet}`,
    message: `This removes the devnet in ${devnet}, its chain and its keys; nodes that joined it have no network then. Type devnet to go on.`,
    expected: 'devnet',
    yes: options.yes === true,
  });
  await showWork(terminal, output, 'destroying the devnet', async (say) =>
    (await load()).devnetDestroy(devnet, terminal.signal, say),
  );
  output.result({ devnet, destroyed: true }, `the devnet in ${devnet} is destroyed`);
}

async function status(call: Call<DevnetOptions>): Promise<void> {
  const devnet = folderOf(call);
  const result = await (await load()).devnetStatus(devnet);
  call.output.result(result, () => renderDevnet(result));
}

async function relay(call: Call<DevnetOptions>): Promise<void> {
  const { runRelay } = await import('../provision/process/devnet-relay.ts');
  await runRelay(folderOf(call), call.terminal.signal);
}

async function fund(call: Call<DevnetOptions & { ether: string }>): Promise<void> {
  const { operands, options, terminal, output } = call;
  const [to = ''] = operands;
  if (!/^0x[0-9a-fA-F]{40}$/.test(to)) throw new NectarError('CLI_USAGE', { problem: `${to} is not an address` });
  if (!/^\d{1,6}(\.\d{1,9})?$/.test(options.ether)) {
    throw new NectarError('CLI_USAGE', {
      problem: `${options.ether} is not an amount of ether with at most nine decimals`,
    });
  }
  await showWork(terminal, output, 'depositing on L1', async () =>
    (await load()).devnetFund(folderOf(call), {
      to: to.toLowerCase() as Hex,
      ether: options.ether,
      signal: terminal.signal,
    }),
  );
  output.result({ to, ether: options.ether }, `${options.ether} ether for ${to}`);
}

async function eject(call: Call<DevnetOptions>): Promise<void> {
  const [peer = ''] = call.operands;
  const result = await showWork(call.terminal, call.output, 'voting', async () =>
    (await load()).devnetEject(folderOf(call), peer, call.terminal.signal),
  );
  call.output.result({ peer, ...result }, `${peer} ejected in L2 block ${result.blockNumber}`);
}

function renderDevnet({ devnet, running, l1, l2 }: DevnetStatus): string {
  const at = (block: number | null) => (block === null ? 'does not answer' : `block ${block}`);
  return renderFacts([
    ['devnet', running ? 'running' : 'not running'],
    ['folder', devnet],
    ['L1', `${l1.rpcUrl}  ${at(l1.block)}`],
    ['L2', `${l2.rpcUrl}  ${at(l2.block)}`],
  ]);
}
