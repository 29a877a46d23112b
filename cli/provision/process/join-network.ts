import Type from 'typebox';
import { JoinResult, NetworkInfo } from '../../../appliance/gateway/node-schemas.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import { isAuthorized } from '../../membership.ts';
import { waitUntil } from '../../wait-until.ts';
import { devnetFund } from './devnet.ts';
import { isDevnetHome } from './devnet-home.ts';

const POLL_MS = 500;
const FIRST_BALANCE_ETHER = '10';
const ENOUGH_WEI = 1_000_000_000_000_000_000n;
const RpcAnswer = Type.Object({ result: Type.String({ pattern: '^0x[0-9a-f]{1,64}$' }) });

export interface JoinRequest {
  readonly client: Client;
  /** Where a devnet's faucet may be. */
  readonly devnet: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Applies to the NodeRegistry and waits until the network's auditors have attested the node. On a devnet the operator's account
 * first gets a balance for its transactions, by a deposit through the L1 Inbox.
 *
 * @throws NectarError CLI_JOIN_TIMEOUT
 */
export async function joinNetwork(request: JoinRequest): Promise<NetworkInfo> {
  const { client, say, signal } = request;
  let info = await client.json(NetworkInfo, 'GET', '/v1/network');
  if (isAuthorized(info)) return info;
  if (info.network === 'devnet' && info.operator !== undefined && isDevnetHome(request.devnet)) {
    say('funding the operator account by a deposit on L1');
    await fundOperator(request, info.operator as Hex);
  }
  say('applying to the node registry');
  await client.json(JoinResult, 'POST', '/v1/network/join');
  const admitted = async (): Promise<NetworkInfo | undefined> => {
    info = await client.json(NetworkInfo, 'GET', '/v1/network');
    if (isAuthorized(info)) return info;
    say(describeWait(info));
    return undefined;
  };
  const found = await waitUntil(admitted, { timeoutMs: request.timeoutMs, pollMs: POLL_MS, signal });
  if (found !== undefined) return found;
  const waitingFor = `its membership is ${info.membership}`;
  throw new NectarError('CLI_JOIN_TIMEOUT', { seconds: request.timeoutMs / 1000, waitingFor });
}

/** Until L2 has the application there is nothing for an auditor to look at. */
export function describeWait({ membership, problem }: Pick<NetworkInfo, 'membership' | 'problem'>): string {
  const what =
    membership.toLowerCase() === 'none'
      ? 'waiting until L2 has the application'
      : `waiting for the auditors (${membership})`;
  return problem === undefined ? what : `${what}: ${problem}`;
}

/** Until the node's own state shows the balance: it follows the chain by itself, a little behind the sequencer. */
async function fundOperator({ client, devnet, timeoutMs, signal }: JoinRequest, operator: Hex): Promise<void> {
  if ((await balanceOf(client, operator)) >= ENOUGH_WEI) return;
  await devnetFund(devnet, { to: operator, ether: FIRST_BALANCE_ETHER, signal });
  const arrived = async (): Promise<true | undefined> => (await balanceOf(client, operator)) > 0n || undefined;
  if (await waitUntil(arrived, { timeoutMs, pollMs: POLL_MS, signal })) return;
  throw new NectarError('CLI_JOIN_TIMEOUT', { seconds: timeoutMs / 1000, waitingFor: 'the deposit in its own state' });
}

async function balanceOf(client: Client, address: Hex): Promise<bigint> {
  const body = { jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [address, 'latest'] };
  const answer = await client.json(RpcAnswer, 'POST', '/rpc', body);
  return BigInt(answer.result);
}
