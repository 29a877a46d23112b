import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { addCosignatures } from '../../../../appliance/witness/cosigned-checkpoint.ts';
import { createCosigner } from '../../../../appliance/witness/cosigner.ts';
import { createSeenLogs, type ForkEvidence } from '../../../../appliance/witness/seen-logs.ts';
import { verifyCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { proveConsistency } from '../../../../protocol/merkle/prove.ts';
import { encodeVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';
import { witnessKeyOf } from '../../../../protocol/merkle/witness-key.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import {
  encodeWitnessRequest,
  type WitnessAnswer,
  type WitnessRequest,
} from '../../../../protocol/network/witness-exchange.ts';
import { LogDouble } from './log-double.ts';

const SEED = new Uint8Array(32).fill(9);
const MEMBER = peerIdOf(ed25519.getPublicKey(new Uint8Array(32).fill(1)));
const key = witnessKeyOf(peerIdOf(ed25519.getPublicKey(SEED)));

async function createHouse(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-witness-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const forks: string[] = [];
  const order: string[] = [];
  const open = (seen = createSeenLogs(folder)) =>
    createCosigner({
      seen,
      key,
      sign: (message) => {
        order.push('signed');
        return ed25519.sign(message, SEED);
      },
      log: createLogger({ level: 'silent' }),
      onFork: (kind) => forks.push(kind),
      now: () => Date.UTC(2026, 10, 23, 6),
    });
  return { folder, forks, order, open };
}

function requestOf(log: LogDouble, old: number, given: Partial<WitnessRequest> = {}): Uint8Array {
  const proof = old > log.leaves.length ? [] : proveConsistency(log.leaves, old);
  return encodeWitnessRequest({ vkey: encodeVerifierKey(log.key), old, proof, note: log.note(), ...given });
}

const typeOf = (answer: WitnessAnswer): string => (answer.type === 'refused' ? answer.reason : answer.type);

test('cosigns what continues, by a line that any C2SP verifier takes', async (t) => {
  const { open } = await createHouse(t);
  const log = new LogDouble().append('a', 'b', 'c');
  const ask = open();
  const first = await ask(MEMBER, requestOf(log, 0));
  assert.ok(first.type === 'cosigned');
  const signed = verifyCheckpoint(addCosignatures(log.note(), [first.line]), log.key, [key]);
  assert.deepEqual(
    signed.signatures.map(({ timestamp }) => timestamp),
    [undefined, Date.UTC(2026, 10, 23, 6) / 1000],
  );
  log.append('d', 'e');
  assert.equal(typeOf(await ask(MEMBER, requestOf(log, 3))), 'cosigned');
  assert.equal(typeOf(await ask(MEMBER, requestOf(log, 5))), 'cosigned', 'the same again');
  assert.equal(typeOf(await open()(MEMBER, requestOf(log.append('f'), 5))), 'cosigned', 'after a restart');
});

test('tells a log that was put back what it once signed, and cosigns nothing older', async (t) => {
  const { open, forks } = await createHouse(t);
  const ask = open();
  const log = new LogDouble().append('a', 'b', 'c', 'd');
  await ask(MEMBER, requestOf(log, 0));
  const newest = log.note();
  log.leaves = log.leaves.slice(0, 2);
  for (const old of [0, 2, 4]) {
    const answer = await ask(MEMBER, requestOf(log, old));
    assert.deepEqual(answer, { type: 'conflict', note: newest });
  }
  assert.deepEqual(forks, []);
});

test('never signs two heads of one size, nor what does not continue, and keeps both as evidence over restarts', async (t) => {
  const { folder, open, forks } = await createHouse(t);
  const log = new LogDouble().append('a', 'b', 'c');
  await open()(MEMBER, requestOf(log, 0));
  const honest = log.note();
  log.leaves = [];
  log.append('a', 'b', 'another');
  const split = await open()(MEMBER, requestOf(log, 3));
  assert.equal(typeOf(split), 'inconsistent');
  log.append('more');
  assert.equal(typeOf(await open()(MEMBER, requestOf(log, 3))), 'inconsistent');
  assert.deepEqual(forks, ['split', 'unproven']);
  const names = await readdir(join(folder, 'forks', MEMBER));
  const read = async (name = ''): Promise<ForkEvidence> =>
    JSON.parse(await readFile(join(folder, 'forks', MEMBER, name), 'utf8'));
  const evidence = await read(names.find((name) => name.startsWith('split-')));
  assert.equal(evidence.seen.note, honest);
  for (const note of [evidence.seen.note, evidence.presented.note]) verifyCheckpoint(note, log.key);
  assert.deepEqual(await createSeenLogs(folder).splits(), [MEMBER]);
});

test('much that proves nothing does not keep out the evidence that does', async (t) => {
  const { folder, open } = await createHouse(t);
  const ask = open();
  const log = new LogDouble().append('a', 'b');
  await ask(MEMBER, requestOf(log, 0));
  log.leaves = [];
  for (let i = 0; i < 40; i++) await ask(MEMBER, requestOf(log.append(`x${i}`, 'y', 'z'), 2));
  log.leaves = [];
  await ask(MEMBER, requestOf(log.append('other', 'story'), 2));
  const names = await readdir(join(folder, 'forks', MEMBER));
  assert.equal(names.filter((name) => name.startsWith('unproven-')).length, 16);
  assert.equal(names.filter((name) => name.startsWith('split-')).length, 1);
});

test('a log keeps its key, and a member has few logs', async (t) => {
  const { open, forks } = await createHouse(t);
  const ask = open();
  const log = new LogDouble().append('a');
  await ask(MEMBER, requestOf(log, 0));
  const usurper = new LogDouble(log.key.name, new Uint8Array(32).fill(6)).append('a', 'b');
  assert.equal(typeOf(await ask(MEMBER, requestOf(usurper, 1))), 'inconsistent');
  assert.deepEqual(forks, ['key']);
  const another = peerIdOf(ed25519.getPublicKey(new Uint8Array(32).fill(2)));
  assert.equal(typeOf(await ask(another, requestOf(usurper, 0))), 'cosigned', 'members do not bar each other');
  const answers: string[] = [];
  for (let i = 0; i < 17; i++)
    answers.push(typeOf(await ask(MEMBER, requestOf(new LogDouble(`log/${i}`).append('a'), 0))));
  assert.deepEqual(answers.slice(14), ['cosigned', 'busy', 'busy']);
});

test('refuses what is no request, and what is not signed, without remembering it', async (t) => {
  const { folder, open, forks } = await createHouse(t);
  const ask = open();
  const log = new LogDouble().append('a', 'b');
  const good = requestOf(log, 0);
  const stranger = encodeVerifierKey({ ...log.key, publicKey: new Uint8Array(32).fill(7) });
  const cases = [
    new Uint8Array(),
    Buffer.from('garbage'),
    good.subarray(0, 40),
    Uint8Array.from(good, (byte) => byte ^ 0x80),
    requestOf(log, 0, { vkey: stranger }),
    requestOf(log, 0, { vkey: encodeVerifierKey(key) }),
    requestOf(log, 0, { note: log.note().replace('\n2\n', '\n3\n') }),
    requestOf(log, 0, { note: log.note().slice(0, -4) }),
  ];
  for (const bytes of cases) assert.equal(typeOf(await ask(MEMBER, bytes)), 'malformed');
  assert.deepEqual([forks, await readdir(folder)], [[], []]);
});

test('signs only what is durable, and nothing once its memory is damaged', async (t) => {
  const { folder, order, open } = await createHouse(t);
  const seen = createSeenLogs(folder);
  const log = new LogDouble().append('a');
  await open({
    ...seen,
    async keep(peerId, head) {
      const kept = await seen.keep(peerId, head);
      order.push('durable');
      return kept;
    },
  })(MEMBER, requestOf(log, 0));
  assert.deepEqual(order, ['durable', 'signed']);
  const full = open({ ...seen, keep: () => Promise.reject(new Error('ENOSPC')) });
  assert.equal(typeOf(await full(MEMBER, requestOf(log.append('b'), 1))), 'failed');
  const [name = ''] = await readdir(join(folder, 'logs', MEMBER));
  await writeFile(join(folder, 'logs', MEMBER, name), '{');
  assert.equal(typeOf(await open()(MEMBER, requestOf(log, 1))), 'failed');
  assert.equal(order.length, 2);
});

/** What somebody does to the file of a member's log: its newest text, and that of before. */
const CHANGES: Record<string, (newest: string, older: string) => string | undefined> = {
  'an older copy': (_, older) => older,
  'one byte of the root changed': (newest) =>
    newest.replace(/"root":"./, (found) => `"root":"${found.endsWith('0') ? 1 : 0}`),
  'another size': (newest) => newest.replace('"size":4', '"size":3'),
  'one byte of the note changed': (newest) => newest.replace('"note":"n', '"note":"m'),
  'a copy that was cut off': (newest) => newest.slice(0, 40),
  'nothing there': () => undefined,
};

for (const [name, change] of Object.entries(CHANGES)) {
  const prepare = async (t: TestContext) => {
    const house = await createHouse(t);
    const ask = house.open();
    const log = new LogDouble().append('a', 'b');
    await ask(MEMBER, requestOf(log, 0));
    const folder = join(house.folder, 'logs', MEMBER);
    const path = join(folder, (await readdir(folder))[0] ?? '');
    const older = await readFile(path, 'utf8');
    await ask(MEMBER, requestOf(log.append('c', 'd'), 2));
    const text = change(await readFile(path, 'utf8'), older);
    await (text === undefined ? rm(path) : writeFile(path, text));
    return { ...house, ask, log };
  };

  test(`a running node with ${name} in place of what it has seen cosigns no second story, and goes on with the first`, async (t) => {
    const { ask, log, forks } = await prepare(t);
    const liar = new LogDouble().append('a', 'b', 'x', 'y', 'z');
    assert.notEqual(typeOf(await ask(MEMBER, requestOf(liar, 2))), 'cosigned');
    assert.equal(typeOf(await ask(MEMBER, requestOf(liar, 4))), 'inconsistent');
    assert.deepEqual(forks, ['unproven']);
    assert.equal(typeOf(await ask(MEMBER, requestOf(log.append('e'), 4))), 'cosigned');
  });

  test(`a start with ${name} accuses nobody`, async (t) => {
    const { open, log, forks } = await prepare(t);
    await open()(MEMBER, requestOf(log, 4));
    assert.deepEqual(forks, []);
  });
}

test('two requests at once are judged one after the other', async (t) => {
  const { open } = await createHouse(t);
  const ask = open();
  const log = new LogDouble().append('a');
  await ask(MEMBER, requestOf(log, 0));
  const [one, other] = [new LogDouble().append('a', 'one'), new LogDouble().append('a', 'other')];
  const answers = await Promise.all([ask(MEMBER, requestOf(one, 1)), ask(MEMBER, requestOf(other, 1))]);
  assert.deepEqual(answers.map(typeOf), ['cosigned', 'inconsistent']);
});
