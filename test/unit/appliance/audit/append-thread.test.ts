import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  type AppendThread,
  type AppendThreadData,
  type CrossingEvent,
  createAppendThread,
} from '../../../../appliance/audit/append-thread.ts';
import { EVENTS } from '../../../../appliance/audit/balp-codes.ts';
import { createBodySealer } from '../../../../appliance/audit/body-seal.ts';
import { prepareEntry } from '../../../../appliance/audit/event.ts';
import type { AuditInput } from '../../../../appliance/audit/index.ts';
import { type MadeGroup, makeGroup } from '../../../../appliance/audit/make-group.ts';
import { createLogHouse, ORIGIN, PATIENT, reading } from './log-house.ts';

const PROGRAM = new URL('../../../../appliance/audit/append-worker.ts', import.meta.url);
const NAME = 'nectar.example/node/0011 epoch 2';
const MAX_BODY_BYTES = 65_536;

/** A thread that starts takes its time; one that never does must not hang the suite. */
function* turns(): Generator<Promise<void>> {
  const until = performance.now() + 120_000;
  while (performance.now() < until) yield new Promise((resolve) => setTimeout(resolve, 2));
  throw new Error('the thread did not start');
}

async function started(thread: AppendThread): Promise<void> {
  thread.saw(8);
  for (const turn of turns()) {
    if (thread.cross(reading(0), 0) !== undefined) return;
    await turn;
  }
}

/** One that does what a program of the test says. */
function programmed(program: string): () => Worker {
  const head = `const { parentPort } = require('node:worker_threads'); parentPort.postMessage('ready');`;
  return () => new Worker(`${head} parentPort.on('message', () => { ${program} });`, { eval: true });
}

/** A thread, with the random bytes that it gave out. */
function threadFor(t: TestContext, start?: (data: AppendThreadData) => Worker) {
  const drawn: Uint8Array[] = [];
  const given: AppendThreadData[] = [];
  const bodyKey = randomBytes(32);
  const thread = createAppendThread({
    bodyKey,
    origin: ORIGIN,
    maxBodyBytes: MAX_BODY_BYTES,
    randomBytes(length) {
      const bytes = randomBytes(length);
      drawn.push(bytes.slice());
      return bytes;
    },
    start(data) {
      given.push(data);
      return start === undefined ? new Worker(PROGRAM, { workerData: data, env: {}, execArgv: [] }) : start(data);
    },
  });
  t.after(() => thread.end());
  return { thread, drawn, given, bodyKey };
}

/** The same group, made here. */
function madeHere(first: number, events: readonly AuditInput[], key: Uint8Array, random: Uint8Array): MadeGroup {
  let at = 0;
  const draw = (length: number): Uint8Array => {
    at += length;
    return random.subarray(at - length, at);
  };
  const deps = { origin: ORIGIN, maxBodyBytes: MAX_BODY_BYTES, randomBytes: draw };
  const entries = events.map((event, i) => prepareEntry(event, { ...deps, time: 1_000 + i }));
  return makeGroup(first, entries, createBodySealer(key, { sealedAs: () => NAME }, draw));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('makes the very group that is made without it, of every type of event and of text that is not well-formed', async (t) => {
  const { thread, drawn, bodyKey } = threadFor(t);
  await started(thread);
  const odd = ['Dr. \ud800 X', 'Jane "Q"', 'ä\u2028', '\\ud83d'];
  const types = Object.keys(EVENTS).filter((type) => type !== 'audit.epoch');
  const events = types.map((type, i) => ({
    ...reading(i, type),
    ...(i % 2 === 0 ? { patients: ['p1', 'p2'].slice(i % 3) } : {}),
    outcome: i % 3 === 0 ? ('failure' as const) : ('success' as const),
    detail: { note: odd[i % 4] ?? '', count: i, share: i / 7 },
  }));
  for (const first of [0, 250]) {
    const crossing = events.map((event, i) => thread.cross(event, 1_000 + i)) as CrossingEvent[];
    assert.ok(crossing.every((event) => event !== undefined));
    const made = await thread.make({ first, sealedAs: NAME, events: crossing });
    const expected = madeHere(first, events, bodyKey, drawn.at(-1) ?? new Uint8Array(0));
    assert.equal(hex(made?.bytes ?? new Uint8Array(0)), hex(expected.bytes));
    const leaves = ({ leaf, leafHash }: MadeGroup['leaves'][number]) => [hex(leaf), hex(leafHash)];
    assert.deepEqual(made?.leaves.map(leaves), expected.leaves.map(leaves));
  }
});

test('leaves to the caller what may be refused, what begins an epoch, and what are few', async (t) => {
  const { thread, given } = threadFor(t);
  assert.equal(thread.cross(reading(1), 0), undefined);
  thread.saw(7);
  assert.equal(given.length, 0);
  await started(thread);
  assert.equal(given.length, 1);
  assert.equal(thread.cross(reading(1, 'audit.epoch'), 0), undefined);
  assert.equal(thread.cross(reading(1, 'No type'), 0), undefined);
  assert.equal(thread.cross({ ...reading(1), detail: { note: 'x'.repeat(6_000) } }, 0), undefined);
  const patients = Array.from({ length: 130 }, (_, i) => String(i));
  assert.equal(thread.cross({ ...reading(1), patients }, 0), undefined);
  const events = [1, 2].map((i) => thread.cross(reading(i), 0)) as CrossingEvent[];
  assert.equal(thread.make({ first: 0, sealedAs: NAME, events }), undefined);
});

test('takes no event whose body could be too long', (t) => {
  const { thread } = threadFor(t, programmed(''));
  return started(thread).then(() => {
    const deps = { origin: 'o'.repeat(255), maxBodyBytes: Number.MAX_SAFE_INTEGER, time: 0, randomBytes };
    // What grows most: each character four times as many in a query, each patient an entity of its own.
    for (const text of ['', 'a', '"', '\u00e9', '\u2028', '\u{1f600}']) {
      for (const count of [0, 1, 20, 60, 120]) {
        for (const length of [1, 40, 400]) {
          const value = text.repeat(length);
          const detail = Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value]));
          const patients = Array.from({ length: count }, () => value);
          for (const type of ['record.query', 'record.create']) {
            const event = { ...reading(1, type), detail, patients };
            const { body } = prepareEntry(event, deps);
            if (body.length > MAX_BODY_BYTES) assert.equal(thread.cross(event, 0), undefined);
          }
        }
      }
    }
  });
});

test('a thread that is lost gives its group back, and is not asked again', async (t) => {
  for (const program of ['process.exit(1)', 'throw new Error("no")']) {
    const { thread } = threadFor(t, programmed(program));
    await started(thread);
    const events = [1, 2, 3].map((i) => thread.cross(reading(i), 0)) as CrossingEvent[];
    assert.equal(await thread.make({ first: 0, sealedAs: NAME, events }), undefined);
    assert.equal(thread.cross(reading(1), 0), undefined);
    assert.equal(thread.make({ first: 0, sealedAs: NAME, events }), undefined);
  }
});

test('wipes its key at its end', async (t) => {
  const { thread, given } = threadFor(t);
  await started(thread);
  const shared = given[0]?.bodyKey ?? new Uint8Array(0);
  assert.ok(shared.some((byte) => byte !== 0));
  await thread.end();
  assert.ok(shared.every((byte) => byte === 0));
});

test('a log that many append to has all of them in their order, whoever wrote them down', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  let groups = 0;
  const watch = (worker: Worker): void => {
    worker.on('message', (reply) => {
      if (reply !== 'ready') groups++;
    });
  };
  process.on('worker', watch);
  t.after(() => process.off('worker', watch));
  const appended: { index: number; leafHash: string }[] = [];
  for (const turn of turns()) {
    if (groups >= 3) break;
    const from = appended.length;
    appended.push(...(await Promise.all(Array.from({ length: 16 }, (_, i) => audit.append(reading(from + i))))));
    await turn;
  }
  // Among them, what the thread does not take.
  const mixed = [reading(1), { ...reading(2), detail: { note: 'x'.repeat(9_000) } }, reading(3), reading(4)];
  appended.push(...(await Promise.all(mixed.map((event) => audit.append(event)))));
  await assert.rejects(audit.append({ ...reading(5), detail: { note: 'x'.repeat(70_000) } }), {
    code: 'AUDIT_EVENT_INVALID',
  });
  assert.deepEqual(
    appended.map(({ index }) => index),
    appended.map((_, i) => i),
  );
  const reader = { actor: { subject: PATIENT }, requestId: 'look' };
  for (const index of [0, 8, appended.length - 5, appended.length - 1]) {
    const entry = await audit.entry(index, reader);
    assert.equal(entry.leafHash, appended[index]?.leafHash);
    assert.match(JSON.stringify(entry.body), /Dr\. Canary/);
  }
  assert.equal((await audit.query({ filter: { actor: 'Dr. Canary' }, limit: 5 }, reader)).entries.length, 5);
  const verdict = await audit.verify({ anchors: [] });
  assert.deepEqual(verdict.findings, []);
});
