import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { encodeExchangeAnswer, encodeExchangeRequest } from '../../../../protocol/network/block-exchange.ts';
import { encodeFrameHeader } from '../../../../protocol/network/frame.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import { protocolNames } from '../../../../protocol/network/protocol-names.ts';
import { blockOf, blockWithCid, RegistryDouble, startNode, type TestNode, until } from './hosts.ts';

const names = protocolNames(6328270n);
const registry = new RegistryDouble();
let node: TestNode;
/** A member of the network that speaks the protocols as it likes. */
let hostile: Libp2p;

before(async () => {
  node = await startNode({ seed: 100, registry, options: { streamTimeoutMs: 300, maxExchanges: 2 } });
  const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(101));
  registry.authorized.add(peerIdOf(privateKey.publicKey.raw));
  hostile = await createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
});

after(async () => {
  await hostile.stop();
  await node.p2p.stop();
});

async function open(protocol: string): Promise<Stream> {
  return await hostile.dialProtocol(
    node.p2p.addresses().map((address) => multiaddr(address)),
    protocol,
  );
}

async function untilCut(stream: Stream): Promise<void> {
  await until(() => stream.status !== 'open', 'the stream cut');
}

async function exchangesServed(type: string, outcome: string): Promise<boolean> {
  const text = await node.metrics.getSingleMetricAsString('nectar_p2p_exchanges_total');
  return text.includes(`{type="${type}",outcome="${outcome}"}`);
}

function framed(body: Uint8Array): Uint8Array {
  return Uint8Array.of(...encodeFrameHeader(body.length), ...body);
}

test('a frame that announces four gigabytes is cut at its header', async () => {
  const stream = await open(names.blockExchange);
  stream.send(new Uint8Array(4).fill(0xff));
  await untilCut(stream);
  const range = await open(names.unsafeRange);
  range.send(encodeFrameHeader(11));
  await untilCut(range);
});

test('a peer that opens a stream and says nothing, or dribbles, is cut in time', async () => {
  const silent = await open(names.blockExchange);
  const dribbling = await open(names.blockExchange);
  const request = framed(encodeExchangeRequest({ type: 'release', root: blockWithCid('x').cid }));
  let sent = 0;
  await until(() => {
    if (dribbling.status === 'open' && sent < request.length - 1) dribbling.send(request.subarray(sent, ++sent));
    return dribbling.status !== 'open';
  }, 'the dribbling stream cut');
  assert.ok(sent < request.length);
  await untilCut(silent);
});

test('a peer that reads nothing of its answer is cut in time', async () => {
  for (let number = 1; number <= 4; number += 1) node.chain.blocks.push(blockOf(number, 1024 * 1024));
  const stream = await open(names.unsafeRange);
  stream.addEventListener('message', () => {});
  stream.pause();
  stream.send(framed(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 10)));
  await untilCut(stream);
});

test('garbage, a cut request and bytes after a request are refused', async () => {
  for (const body of [new Uint8Array(0), Uint8Array.of(9), new Uint8Array(500).fill(1), Uint8Array.of(2, 1, 85)]) {
    const stream = await open(names.blockExchange);
    stream.send(framed(body));
    await untilCut(stream);
  }
  assert.ok(await exchangesServed('unknown', 'failed'));
});

test('more bytes than one frame may have, sent at once, reset the stream', async () => {
  const stream = await open(names.blockExchange);
  stream.send(encodeFrameHeader(10));
  for (let index = 0; index < 60 && stream.status === 'open'; index += 1) {
    try {
      stream.send(new Uint8Array(64 * 1024));
    } catch {
      break;
    }
    await sleep(1);
  }
  await untilCut(stream);
});

test('a holder that wants what was not offered gets nothing', async () => {
  const secret = blockWithCid('another record of the owner');
  const offered = blockWithCid('offered');
  node.own.set(secret.cid, secret.bytes).set(offered.cid, offered.bytes);
  const request = framed(encodeExchangeRequest({ type: 'hold', root: offered.cid, cids: [offered.cid] }));
  let received = 0;
  await hostile.handle(names.blockExchange, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      received += data.byteLength;
      if (received !== request.length) return;
      const want = encodeExchangeAnswer({ type: 'want', cid: secret.cid });
      stream.send(framed(want));
    });
  });
  await open(names.unsafeRange);
  assert.deepEqual(await node.p2p.replicate(offered.cid, [offered.cid], new AbortController().signal), []);
  assert.equal(received, request.length, 'the request and nothing more');
});

test('the node still serves honest requests afterwards', async () => {
  const stream = await open(names.blockExchange);
  const answer: number[] = [];
  stream.addEventListener('message', ({ data }) => answer.push(...data.subarray()));
  stream.send(framed(encodeExchangeRequest({ type: 'get', root: blockWithCid('x').cid, cid: blockWithCid('x').cid })));
  await until(() => answer.length === 6, 'the answer');
  assert.deepEqual(answer, [0, 0, 0, 2, 0x14, 0]);
});
