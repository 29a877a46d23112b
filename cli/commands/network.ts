import { type Command, Option } from 'commander';
import { NetworkInfo, PeerList } from '../../appliance/gateway/node-schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { devnetFolder } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { renderFacts, renderTable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { devnetOption } from './devnet.ts';
import { requireDuration } from './up.ts';

const DEFAULT_JOIN = '60s';

export function registerNetwork(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'network', 'the network that the node belongs to');
  addVerb(group, 'status', { summary: 'show the network and this node in it', examples: ['network status'] }).action(
    action(terminal, status),
  );
  addVerb(group, 'peers', {
    summary: 'list the connected peers',
    examples: ['network peers', 'network peers --json'],
  }).action(action(terminal, peers));
  addVerb(group, 'join', {
    summary: "apply to the node registry and wait for the auditors' attestation",
    examples: ['network join', 'network join --timeout 10m'],
  })
    .addOption(devnetOption())
    .addOption(new Option('--timeout <duration>', 'how long to wait').default(DEFAULT_JOIN))
    .action(action(terminal, join));
}

async function status(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const info = await client.json(NetworkInfo, 'GET', '/v1/network');
    call.output.result(info, () => renderNetwork(info));
  });
}

async function peers(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const list = await client.json(PeerList, 'GET', '/v1/network/peers');
    const columns = [{ title: 'PEER' }, { title: 'ADDRESS' }, { title: 'DIRECTION' }, { title: 'SINCE' }];
    const rows = list.peers.map((peer) => [peer.peerId, peer.address, peer.direction, peer.since]);
    call.output.result(list, () => (rows.length === 0 ? 'no peers' : renderTable(columns, rows)));
  });
}

async function join(call: Call<{ devnet?: string; timeout: string }>): Promise<void> {
  const { terminal, output, options } = call;
  const devnet = devnetFolder(terminal, options.devnet);
  const timeoutMs = requireDuration(options.timeout);
  const { joinNetwork } = await import('../provision/process/join-network.ts');
  await withNode(call, async (client) => {
    const info = await showWork(terminal, output, 'joining the network', (say) =>
      joinNetwork({ client, devnet, timeoutMs, signal: terminal.signal, say }),
    );
    output.result(info, () => renderNetwork(info));
  });
}

function renderNetwork(info: NetworkInfo): string {
  return renderFacts([
    ['network', info.network],
    ['membership', info.membership],
    ...(info.problem === undefined ? [] : [['problem', info.problem] as const]),
    ['peer id', info.peerId],
    ['addresses', info.addresses.join(' ') || 'none yet'],
    ['operator', info.operator ?? 'none'],
    ['L1 chain', String(info.l1ChainId)],
    ['L2 chain', String(info.l2ChainId)],
    ['genesis', info.genesisHash],
  ]);
}
