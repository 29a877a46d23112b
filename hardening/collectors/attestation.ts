import { encodePeerId, isPeerId } from '../../protocol/network/node-identity.ts';
import { askNode } from './ask-node.ts';
import type { Absent } from './look.ts';
import type { NodeApi } from './node-api.ts';

/** The NodeRegistry's place on L2, and its nodeOf(bytes): a test holds both against the contract. */
export const NODE_REGISTRY = '0x4e43000000000000000000000000000000000001';
export const NODE_OF = '0x7520a465';
const WORD_CHARS = 64;
/** In the struct that the answer points to: validUntil, seconds since 1970. */
const VALID_UNTIL_WORD = 8;
const MAX_ANSWER_CHARS = 1024 * 1024;
const DAY_SECONDS = 86_400;

/** Days until the auditors' attestation ends, as the node's own copy of the chain has it; below zero when it has ended. */
export async function attestationDaysLeft(
  api: NodeApi | undefined,
  now: () => number,
  signal: AbortSignal,
): Promise<number | Absent> {
  const network = await askNode(api, '/v1/network', { signal });
  const peerId = network.in('peerId').text();
  if (!isPeerId(peerId)) throw new Error('the node names no peer id');
  const peer = Buffer.from(encodePeerId(peerId)).toString('hex');
  const word = (value: number): string => value.toString(16).padStart(WORD_CHARS, '0');
  const padded = peer.padEnd(Math.ceil(peer.length / WORD_CHARS) * WORD_CHARS, '0');
  const data = `${NODE_OF}${word(32)}${word(peer.length / 2)}${padded}`;
  const call = { jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: NODE_REGISTRY, data }, 'latest'] };
  const answer = await askNode(api, '/rpc', {
    signal,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(call)),
  });
  const validUntil = parseValidUntil(answer.in('result').text());
  if (validUntil === 0) return { absent: 'no auditor attested this node yet' };
  return Math.floor((validUntil - now() / 1000) / DAY_SECONDS);
}

/** ABI: the offset of the struct, then its words; what is of variable length has only its own offset there. */
export function parseValidUntil(result: string): number {
  const hex = result.slice(2);
  if (!/^0x([0-9a-f]{64}){12,}$/.test(result) || result.length > MAX_ANSWER_CHARS)
    throw new Error('the registry answered something else than a node');
  const word = (index: number): number =>
    Number(BigInt(`0x${hex.slice(index * WORD_CHARS, (index + 1) * WORD_CHARS)}`));
  if (word(0) !== 32) throw new Error('the registry answered something else than a node');
  const seconds = word(1 + VALID_UNTIL_WORD);
  if (!Number.isSafeInteger(seconds)) throw new Error('the registry answered no time');
  return seconds;
}
