import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { createWitness, type Witness } from '../../../../appliance/witness/index.ts';
import { createRecalledFile } from '../../../../appliance/witness/recalled-file.ts';
import { verifyCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { encodeWitnessAnswer, parseWitnessAnswer } from '../../../../protocol/network/witness-exchange.ts';
import { connected, RegistryDouble, startNode, type TestNode, until } from '../p2p/hosts.ts';
import { LogDouble } from './log-double.ts';

const { signal } = new AbortController();
const stops: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const stop of stops.toReversed()) await stop();
});

interface Member {
  readonly node: TestNode;
  readonly log: LogDouble;
  readonly witness: Witness;
  readonly folder: string;
  readonly metrics: ReturnType<typeof createMetrics>;
}

/** Members with a log and a libp2p host each, all connected; nothing is asked before a test asks. */
async function network(seed: number, count: number): Promise<Member[]> {
  const registry = new RegistryDouble();
  const members: Member[] = [];
  for (let i = 0; i < count; i++) members.push(await startMember(seed + i, registry));
  const nodes = members.map(({ node }) => node);
  await until(() => nodes.every((a) => nodes.every((b) => a === b || connected(a, b))), 'all connected');
  return members;
}

async function startMember(seed: number, registry: RegistryDouble): Promise<Member> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-witness-'));
  const log = new LogDouble(`nectar.example/${seed}`, new Uint8Array(32).fill(seed)).append('first');
  const metrics = createMetrics();
  const answer: Witness['answer'] = (...input) => witness.answer(...input);
  const node = await startNode({ seed, registry, witness: { answer } });
  const witness = createWitness(
    { peers: 3, intervalMs: 3_600_000, serve: true, folder },
    {
      audit: log,
      identitySeed: async () => new Uint8Array(32).fill(seed),
      // Nothing by itself: the first look of the service finds nobody.
      members: async () => (started ? node.p2p.members() : []),
      isMember: async (peerId) => registry.isAuthorized(peerId),
      // Once more when two that dialled each other at once have just closed one of their connections.
      ask: (...input) => node.p2p.askWitness(...input).catch(() => node.p2p.askWitness(...input)),
      log: createLogger({ level: 'silent' }),
      metrics,
      now: () => Date.UTC(2026, 10, 23, 6),
    },
  );
  let started = false;
  await witness.start(signal);
  started = true;
  stops.push(
    () => node.p2p.stop(),
    () => witness.stop(),
    () => rm(folder, { recursive: true, force: true }),
  );
  return { node, log, witness, folder, metrics };
}

test('members cosign a checkpoint over libp2p, each by its own key, and the log hears of it', async () => {
  const [a, b, c] = (await network(40, 3)) as [Member, Member, Member];
  assert.equal(await a.witness.tick(signal), 2);
  const heads = await a.witness.heads();
  assert.deepEqual(
    heads.map(({ size, where }) => [size, where.split(',')[0]]).toSorted(),
    [b, c].map(({ node }) => [1, `witness ${node.peerId}`]).toSorted(),
  );
  assert.equal(await a.witness.tick(signal), 0, 'nothing new, nothing asked');
  a.log.append('second', 'third');
  assert.equal(await a.witness.tick(signal), 2);
  assert.deepEqual(
    (await a.witness.heads()).map(({ size }) => size),
    [3, 3],
  );
  assert.equal(a.log.heard.length, 4);
  for (const { note } of a.log.heard) verifyCheckpoint(note, a.log.key);
});

test('a cosigned checkpoint that is put back, changed or removed under a running node is asked for again', async () => {
  const [a] = (await network(45, 2)) as [Member, Member];
  await a.witness.tick(signal);
  const path = join(a.folder, 'cosigned');
  const older = await readFile(path, 'utf8');
  a.log.append('second', 'third');
  await a.witness.tick(signal);
  const newest = await readFile(path, 'utf8');
  for (const text of [older, newest.replace(/\n3\n/, '\n4\n'), undefined]) {
    await (text === undefined ? rm(path) : writeFile(path, text));
    assert.ok(
      (await a.witness.heads()).every(({ size }) => size < 3),
      'nothing is counted that nobody signed',
    );
    assert.equal(await a.witness.tick(signal), 1);
    assert.deepEqual(
      (await a.witness.heads()).map(({ size }) => size),
      [3],
    );
  }
});

test('a log that was put back to an older copy hears from its witness what it once signed', async () => {
  const [a] = (await network(50, 2)) as [Member, Member];
  a.log.append('second', 'third');
  await a.witness.tick(signal);
  const newest = a.log.note();
  const again = await restarted(a);
  a.log.leaves = a.log.leaves.slice(0, 2);
  assert.equal(await again.tick(signal), 0);
  assert.deepEqual(a.log.heard.at(-1)?.note, newest);
});

test('a member that tells two witnesses two stories is found by the one that hears both', async () => {
  const [liar, b, c] = (await network(60, 3)) as [Member, Member, Member];
  liar.log.append('for b');
  await liar.witness.tick(signal);
  liar.log.leaves = [];
  liar.log.append('first', 'for c');
  const again = await restarted(liar);
  assert.equal(await again.tick(signal), 0, 'nobody cosigns another story');
  for (const { metrics } of [b, c]) {
    let text = '';
    for (let look = 0; look < 200 && !/nectar_witness_split_logs 1/.test(text); look++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      text = await metrics.metrics();
    }
    assert.match(text, /nectar_witness_split_logs 1/);
    assert.match(text, /nectar_witness_requests_total\{outcome="inconsistent"\} 1/);
  }
});

test('strangers get nothing, garbage gets nothing, and a flood is told to come again', async () => {
  const [a, b] = (await network(70, 2)) as [Member, Member];
  const ask = async (request: Uint8Array) =>
    parseWitnessAnswer(await a.node.p2p.askWitness(b.node.peerId, request, signal));
  assert.deepEqual(await ask(Buffer.from('garbage')), { type: 'refused', reason: 'malformed' });
  const answers: string[] = [];
  for (let i = 0; i < 12; i++) {
    const answer = await ask(Buffer.from('garbage'));
    answers.push(answer.type === 'refused' ? answer.reason : answer.type);
  }
  assert.ok(answers.includes('busy'));
  assert.equal(answers[0], 'malformed');
  await assert.rejects(a.node.p2p.askWitness(b.node.peerId, new Uint8Array(64 * 1024), signal));
  assert.deepEqual(parseWitnessAnswer(await b.witness.answer('12D3stranger' as never, new Uint8Array())), {
    type: 'refused',
    reason: 'stranger',
  });
});

test('after a restore, members tell what the log has forgotten, each of them once', async () => {
  const [a, b, c] = (await network(90, 3)) as [Member, Member, Member];
  a.log.append('second', 'third');
  assert.equal(await a.witness.tick(signal), 2);
  const forgotten = a.log.note();
  const log = new LogDouble(`${a.log.key.name}/epoch/2/1/0123456789abcdef`, new Uint8Array(32).fill(90));
  log.append('first', 'epoch');
  const folder = await mkdtemp(join(tmpdir(), 'nectar-witness-'));
  const restored = await restarted({ ...a, log }, { folder });
  assert.equal(restored.recalled(), null);
  assert.equal(await restored.tick(signal), 2);
  assert.deepEqual(
    log.heard.filter(({ note }) => note === forgotten).map(({ where, at }) => [where, at]),
    [b, c].map(({ node }) => [`witness ${node.peerId}`, 0]).toSorted(),
  );
  assert.deepEqual(restored.recalled(), { epoch: 2, answered: 2, silent: 0, newest: 3 });
  const again = await restarted({ ...a, log }, { folder });
  const before = log.heard.length;
  await again.tick(signal);
  assert.deepEqual(again.recalled(), { epoch: 2, answered: 2, silent: 0, newest: 3 });
  assert.equal(log.heard.slice(before).filter(({ note }) => note === forgotten).length, 0);
});

test('an older, damaged, forged or foreign note of what members told has them asked again', async () => {
  const [a, b] = (await network(110, 2)) as [Member, Member];
  a.log.append('second', 'third');
  // What b would tell; it answers a member so many times only.
  const ask = async () => encodeWitnessAnswer({ type: 'known', notes: [a.log.note()] });
  const log = new LogDouble(`${a.log.key.name}/epoch/2/1/0123456789abcdef`, new Uint8Array(32).fill(110));
  log.append('first', 'epoch');
  const note = { origin: log.key.name, answered: [String(b.node.peerId)], newest: 3 };
  const written = async (recalled: object, seed = 1): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-witness-'));
    await createRecalledFile(folder, new Uint8Array(32).fill(seed)).write(recalled as typeof note);
    const text = await readFile(join(folder, 'recalled'), 'utf8');
    await rm(folder, { recursive: true });
    return text;
  };
  const whole = await written(note);
  const later = `${a.log.key.name}/epoch/3/9/0123456789abcdef`;
  const notes: Record<string, string | undefined> = {
    missing: undefined,
    older: await written({ ...note, answered: [], newest: 0 }),
    'of an earlier epoch': await written({ ...note, origin: a.log.key.name, newest: 900 }),
    'of a later epoch': await written({ ...note, origin: later, newest: 900 }),
    'with a byte changed': whole.replace('answered', 'bnswered'),
    'forged, by the MAC of an older one': (await written({ ...note, answered: [] })).replace(
      '[]',
      `["${b.node.peerId}"]`,
    ),
    'forged, by other keys': await written(note, 2),
    'of the format without a MAC': JSON.stringify({ v: 1, ...note }),
    'cut off': whole.slice(0, -2),
    empty: '',
  };
  for (const [what, text] of Object.entries(notes)) {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-witness-'));
    if (text !== undefined) await writeFile(join(folder, 'recalled'), text);
    const restored = await restarted({ ...a, log }, { folder, ask });
    const before = log.heard.length;
    await restored.tick(signal);
    assert.deepEqual(restored.recalled(), { epoch: 2, answered: 1, silent: 0, newest: 3 }, what);
    assert.equal(log.heard.length, before + 1, what);
    assert.equal(await readFile(join(folder, 'recalled'), 'utf8'), whole, what);
    await rm(folder, { recursive: true });
  }
});

test('after a restore that no member answers, the node says so, and goes on asking', async () => {
  const [a] = (await network(100, 2)) as [Member, Member];
  await a.witness.tick(signal);
  const log = new LogDouble(`${a.log.key.name}/epoch/2/0/0123456789abcdef`, new Uint8Array(32).fill(100));
  log.append('epoch');
  let answers: 'nothing' | 'another log' | 'honestly' = 'nothing';
  const stranger = new LogDouble(a.log.key.name, new Uint8Array(32).fill(77)).append('x').note();
  const restored = await restarted(
    { ...a, log },
    {
      async ask(...input) {
        if (answers === 'nothing') throw new Error('the stream was reset');
        if (answers === 'honestly') return a.node.p2p.askWitness(...input);
        return encodeWitnessAnswer({ type: 'known', notes: [stranger] });
      },
    },
  );
  for (answers of ['nothing', 'another log'] as const) {
    await restored.tick(signal);
    assert.deepEqual(restored.recalled(), { epoch: 2, answered: 0, silent: 1, newest: 0 });
    assert.deepEqual(log.heard, []);
  }
  answers = 'honestly';
  await restored.tick(signal);
  assert.deepEqual(restored.recalled(), { epoch: 2, answered: 1, silent: 0, newest: 1 });
});

test('cosignatures of who is no member any more do not count', async () => {
  const registry = new RegistryDouble();
  const members = [await startMember(80, registry), await startMember(81, registry), await startMember(82, registry)];
  const [a, b] = members as [Member, Member];
  const nodes = members.map(({ node }) => node);
  await until(() => nodes.every((x) => nodes.every((y) => x === y || connected(x, y))), 'all connected');
  assert.equal(await a.witness.tick(signal), 2);
  registry.authorized.delete(b.node.peerId);
  assert.equal((await a.witness.heads()).length, 1);
});

/** The same member with a service that has forgotten what its witnesses have. */
async function restarted(
  { node, log }: Member,
  given: { readonly folder?: string; readonly ask?: TestNode['p2p']['askWitness'] } = {},
): Promise<Witness> {
  const folder = given.folder ?? (await mkdtemp(join(tmpdir(), 'nectar-witness-')));
  let started = false;
  const witness = createWitness(
    { peers: 3, intervalMs: 3_600_000, serve: true, folder },
    {
      audit: log,
      identitySeed: async () => new Uint8Array(32).fill(1),
      members: async () => (started ? node.p2p.members() : []),
      isMember: async () => true,
      ask: given.ask ?? ((...input) => node.p2p.askWitness(...input)),
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: () => Date.UTC(2026, 10, 23, 7),
    },
  );
  await witness.start(signal);
  started = true;
  stops.push(
    () => witness.stop(),
    () => rm(folder, { recursive: true, force: true }),
  );
  return witness;
}
