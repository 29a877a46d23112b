import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createHearing } from '../../../../../appliance/rollup/challenge/hearing.ts';
import { contactOf, createPeerReach } from '../../../../../appliance/rollup/challenge/peer-reach.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { PeerIdText } from '../../../../../protocol/brand.ts';
import { encodeSignedMove } from '../../../../../protocol/dispute/message.ts';
import {
  CHALLENGE_REFUSALS,
  type ChallengeAnswer,
  encodeChallengeAnswer,
  MAX_CHALLENGE_REQUEST_BYTES,
  parseChallengeAnswer,
} from '../../../../../protocol/network/challenge-exchange.ts';
import { connected, RegistryDouble, startNode, type TestNode, until } from '../../p2p/hosts.ts';
import { L1Double } from './l1-double.ts';
import { createPlayer, rivalriesWith, turned } from './twins.ts';

const root = mkdtempSync(join(tmpdir(), 'nectar-over-peers-'));
const nodes: TestNode[] = [];
const { signal } = new AbortController();
const log = createLogger({ level: 'silent' });
const nobody = { canReach: () => false, exchange: async () => undefined };
const LIE = { iteration: 5n, step: 50n, name: 'a lie' };
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
  rmSync(root, { recursive: true, force: true });
});

async function twins(seed: number) {
  const l1 = new L1Double();
  const { honestOpens } = await rivalriesWith(LIE);
  const liar = createPlayer({ l1, rivalries: () => [], folder: join(root, `${seed}-liar`), reach: nobody, lie: LIE });
  const hear = createHearing({ rivalries: () => [turned(honestOpens)], conversations: liar.conversations, log });
  const registry = new RegistryDouble();
  const liarNode = await startNode({ seed, registry, challenges: { hear } });
  const node = await startNode({ seed: seed + 1, registry });
  nodes.push(liarNode, node);
  await until(() => connected(node, liarNode), 'connected');
  const rivalry = { ...honestOpens, contact: contactOf(liarNode.peerId) };
  const reach = createPeerReach((...input) => node.p2p.askChallenge(...input));
  const honest = createPlayer({ l1, rivalries: () => [rivalry], folder: join(root, `${seed}-honest`), reach });
  return { l1, honest, liar, liarNode, node, rivalry, registry };
}

test('a dispute with a peer that talks ends by one transaction', async () => {
  const { l1, honest, rivalry } = await twins(410);
  await honest.challenges.tick(signal);
  await honest.talked();
  await honest.challenges.tick(signal);
  assert.deepEqual(l1.log, ['O settle']);
  assert.equal(l1.winnerOf(rivalry.subject.id), 'O');
});

test('what is no move, too large, or of no challenge of this node is refused and answered with nothing', async () => {
  const { node, liarNode, honest, rivalry } = await twins(420);
  const say = (encoded: Uint8Array) => node.p2p.askChallenge(liarNode.peerId, encoded, signal);
  assert.deepEqual(await say(Uint8Array.of(1, 2, 3)), { type: 'refused', reason: 'invalid' });
  const { honestOpens: other } = await rivalriesWith({ ...LIE, name: 'other' });
  const first = await honest.conversations.newest(other);
  assert.ok(first);
  assert.deepEqual(await say(encodeSignedMove(first)), { type: 'refused', reason: 'unknown' });
  const own = await honest.conversations.newest(rivalry);
  assert.ok(own);
  const forged = encodeSignedMove({ ...own, signature: first.signature });
  assert.deepEqual(await say(forged), { type: 'refused', reason: 'invalid' });
  await assert.rejects(say(new Uint8Array(MAX_CHALLENGE_REQUEST_BYTES + 1)));
});

test('a peer that floods is put off, and a node without a stake does not know the protocol', async () => {
  const { node, liarNode } = await twins(430);
  const answers = [];
  for (let n = 0; n < 20; n++) answers.push(await node.p2p.askChallenge(liarNode.peerId, Uint8Array.of(n), signal));
  assert.ok(answers.some((answer) => answer.type === 'refused' && answer.reason === 'busy'));
  await assert.rejects(liarNode.p2p.askChallenge(node.peerId, Uint8Array.of(1), signal));
});

test('an answer that takes its time is asked for again, and not for ever', async () => {
  const own = (await rivalriesWith(LIE)).honestOpens;
  const player = createPlayer({ l1: new L1Double(), rivalries: () => [], folder: join(root, 'later'), reach: nobody });
  const message = await player.conversations.newest(own);
  assert.ok(message);
  const peer = contactOf('12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf' as PeerIdText);
  let asked = 0;
  const answers = (answer: (n: number) => ChallengeAnswer) =>
    createPeerReach(
      async () => answer(++asked),
      async () => {},
    );
  const move = { type: 'move', encoded: encodeSignedMove(message) } as const;
  const later = { type: 'refused', reason: 'later' } as const;
  assert.deepEqual(await answers((n) => (n < 3 ? later : move)).exchange(peer, message, signal), message);
  assert.equal(asked, 3);
  assert.equal(await answers(() => later).exchange(peer, message, signal), undefined);
  assert.equal(asked, 123);
  assert.equal(answers(() => later).canReach('https://elsewhere.example'), false);
});

test('an answer has one encoding, and anything else is refused', () => {
  const refusals = CHALLENGE_REFUSALS.map((reason) => ({ type: 'refused', reason }) as const);
  for (const answer of [
    ...refusals,
    { type: 'taken' } as const,
    { type: 'move', encoded: Uint8Array.of(1, 2) } as const,
  ])
    assert.deepEqual(parseChallengeAnswer(encodeChallengeAnswer(answer)), answer);
  for (const bytes of [[], [2, 1], [3], [3, 9], [3, 0, 0], [7]])
    assert.throws(() => parseChallengeAnswer(Uint8Array.from(bytes)), { code: 'NETWORK_MESSAGE_INVALID' });
});
