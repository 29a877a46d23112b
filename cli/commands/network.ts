import { type Command, Option } from 'commander';
import { LeaveResult, NetworkInfo, NodeStatus, PeerList } from '../../appliance/gateway/node-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { hashEvidence } from '../evidence-file.ts';
import { devnetFolder } from '../home-folder.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { describeStanding } from '../render/membership.ts';
import { formatBytes } from '../render/quantities.ts';
import { renderFacts, renderTable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { waitUntil } from '../wait-until.ts';
import { devnetOption } from './devnet.ts';
import { requireDuration } from './up.ts';

const DEFAULT_JOIN = '60s';
const LEAVE_POLL_MS = 500;

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
  addVerb(group, 'leave', {
    summary: 'leave the network, and wait until its registry says so',
    about:
      'The node is no member from then on. Let it run for 30 days: owners fetch what it holds for them, and bring it elsewhere. Its own records stay here; what others hold of them can be fetched for 30 days and is deleted there then. `network join` applies again, and an auditor must pass the node anew.',
    examples: ['network leave', 'network leave --yes --json | jq .membership'],
  })
    .addOption(new Option('--timeout <duration>', 'how long to wait').default(DEFAULT_JOIN))
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, leave));
  addVerb(group, 'appeal', {
    summary: 'appeal against the ejection of this node, once, within 14 days',
    about:
      'The account that owns the entry appeals. The SHA-256 of the file is on chain: send the file itself to the auditors. Those who did not vote for the ejection judge it within 60 days.',
    examples: ['network appeal --evidence letter.pdf'],
  })
    .addOption(new Option('--evidence <file>', 'what you have to say; its SHA-256 is on chain').makeOptionMandatory())
    .action(action(terminal, appeal));
}

async function status(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const info = await client.json(NetworkInfo, 'GET', '/v1/network');
    call.output.result(info, () => renderNetwork(info, call.terminal.now()));
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
    output.result(info, () => renderNetwork(info, terminal.now()));
  });
}

async function leave(call: Call<{ timeout: string; yes?: boolean }>): Promise<void> {
  const { terminal, output, options } = call;
  const timeoutMs = requireDuration(options.timeout);
  await withNode(call, async (client) => {
    const node = await client.json(NodeStatus, 'GET', '/v1/node');
    const message = `${describeEstate(node)}\nLeave the network ${node.network}?`;
    await confirmAction(terminal, { action: 'leaving', message, yes: options.yes === true });
    const info = await showWork(terminal, output, 'leaving the network', async () => {
      await client.json(LeaveResult, 'POST', '/v1/network/leave');
      return waitUntil(
        async () => {
          const seen = await client.json(NetworkInfo, 'GET', '/v1/network');
          return seen.membership === 'left' ? seen : undefined;
        },
        { timeoutMs, pollMs: LEAVE_POLL_MS, signal: terminal.signal },
      );
    });
    if (info === undefined)
      throw new NectarError('CLI_JOIN_TIMEOUT', { seconds: timeoutMs / 1000, waitingFor: 'its membership to end' });
    output.result(info, () => `${renderNetwork(info, terminal.now())}\n${AFTER_LEAVING}`);
  });
}

async function appeal(call: Call<{ evidence: string }>): Promise<void> {
  const { terminal, output, options } = call;
  const evidence = await hashEvidence(terminal, options.evidence);
  await withNode(call, async (client) => {
    const done = await client.json(LeaveResult, 'POST', '/v1/network/appeal', { evidence });
    output.result({ ...done, evidence }, () =>
      renderFacts([
        ['membership', done.membership],
        ['evidence', evidence],
        ['transaction', done.transaction],
      ]),
    );
  });
}

const AFTER_LEAVING =
  'next: let the node run for 30 days, so that owners fetch what it holds for them; `nectar-byon backup` is what else keeps your own records';

/** What a node that leaves has of others, and others of it. */
function describeEstate({ storage, records, membership }: NodeStatus): string {
  const held = storage?.offer?.heldBytes ?? 0;
  const holders = storage?.holders?.length ?? 0;
  return renderFacts([
    ['membership', membership?.status ?? 'not known'],
    ['held for others', `${formatBytes(held)}: owners can fetch it for 30 days, if this node runs`],
    ['own records', `${records ?? 'not known'}: they stay here, and are anchored no more`],
    ['holders', `${holders}: what they hold of them can be fetched for 30 days, and is deleted there then`],
  ]);
}

function renderNetwork(info: NetworkInfo, now: number): string {
  return renderFacts([
    ['network', info.network],
    ['membership', info.standing === undefined ? info.membership : describeStanding(info.standing, now)],
    ...(info.problem === undefined ? [] : [['problem', info.problem] as const]),
    ['peer id', info.peerId],
    ['addresses', info.addresses.join(' ') || 'none yet'],
    ['operator', info.operator ?? 'none'],
    ['L1 chain', String(info.l1ChainId)],
    ['L2 chain', String(info.l2ChainId)],
    ['genesis', info.genesisHash],
  ]);
}
