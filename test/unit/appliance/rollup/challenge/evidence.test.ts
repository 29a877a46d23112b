import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolder, replaceFile, sweepStaged } from '../../../../../appliance/durable-file.ts';
import {
  type ChallengeEvent,
  createChallengeEvidence,
  type RecordChallenge,
} from '../../../../../appliance/rollup/challenge/evidence.ts';
import { createMoveSigner } from '../../../../../appliance/rollup/challenge/sign-move.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { moveHash } from '../../../../../protocol/dispute/move.ts';
import { DOMAIN, hashOf } from '../../../protocol/dispute/samples.ts';
import { rivalriesWith } from './twins.ts';

const root = mkdtempSync(join(tmpdir(), 'nectar-evidence-'));
after(() => rmSync(root, { recursive: true }));

const LIE = { iteration: 2n, step: 5n, name: 'liar' };
const { honestOpens } = await rivalriesWith(LIE);
const signer = createMoveSigner(new Uint8Array(32).fill(2));
const messageOf = (round: number) =>
  signer.sign(
    DOMAIN,
    {
      challenge: honestOpens.subject.id,
      round,
      choice: 0,
      iteration: 0n,
      step: 0n,
      prev: hashOf('prev'),
      start: hashOf('start'),
      points: Array.from({ length: 32 }, (_, at) => hashOf(`point ${round} ${at}`)),
    },
    undefined,
  );
const ALARM = {
  id: honestOpens.subject.id,
  side: 'O',
  opponent: honestOpens.parties.R.owner,
  onL1: 'open',
  round: 3,
  turn: 'O',
  leftS: 60n,
  heardRound: 2,
  next: 'answer',
  isUrgent: true,
  waiting: undefined,
} as const;

let folders = 0;
function createHouse(folder = join(root, String(folders++)), replace = replaceFile) {
  const state = { events: [] as ChallengeEvent[], isDown: false };
  const record: RecordChallenge = async ({ type, outcome, detail }) => {
    if (state.isDown) throw new Error('the log takes nothing');
    state.events.push({ type, outcome, detail });
  };
  const files = { replaceFile: replace, makeFolder, sweepStaged };
  const evidence = createChallengeEvidence(folder, { record, files, log: createLogger({ level: 'silent' }) });
  return { folder, state, evidence };
}

test('each message is on record once, with its digest, its signature and who signed it', async () => {
  const { evidence, state } = createHouse();
  const [said, heard, reply] = [messageOf(1), messageOf(2), messageOf(3)];
  evidence.said(honestOpens, said);
  const conversation = { since: 0, heardAt: 0, heard: [{ message: heard, reply }] };
  for (let look = 0; look < 3; look++) {
    evidence.said(honestOpens, said);
    evidence.conversation(honestOpens, conversation);
    await evidence.flush();
  }
  assert.deepEqual(
    state.events.map(({ type, detail }) => [type, detail.direction, detail.round, detail.digest, detail.signer]),
    [
      ['challenge.message', 'signed', 1, moveHash(DOMAIN, said.move), honestOpens.parties.O.signer],
      ['challenge.message', 'received', 2, moveHash(DOMAIN, heard.move), honestOpens.parties.R.signer],
      ['challenge.message', 'signed', 3, moveHash(DOMAIN, reply.move), honestOpens.parties.O.signer],
    ],
  );
  assert.equal(state.events[1]?.detail.signature, heard.signature);
});

test('a log that takes nothing holds nothing up, and gets all of it later, in order', async () => {
  const { evidence, state } = createHouse();
  state.isDown = true;
  evidence.alarm(ALARM);
  await evidence.flush();
  evidence.ended([{ result: 'lost', loser: 7n, winner: 8n, transaction: hashOf('tx'), block: 12n }]);
  await evidence.flush();
  assert.deepEqual(state.events, []);
  state.isDown = false;
  await evidence.flush();
  assert.deepEqual(
    state.events.map(({ type, outcome }) => [type, outcome]),
    [
      ['challenge.alarm', 'failure'],
      ['challenge.end', 'failure'],
    ],
  );
});

test('a restart puts on record what was stored and not told, and nothing twice', async () => {
  const before = createHouse();
  const first = { message: messageOf(2), reply: messageOf(3) };
  before.evidence.conversation(honestOpens, { since: 0, heardAt: 0, heard: [first] });
  await before.evidence.flush();
  assert.equal(before.state.events.length, 2);
  const second = { message: messageOf(4), reply: undefined };
  const { evidence, state } = createHouse(before.folder);
  evidence.conversation(honestOpens, { since: 0, heardAt: 0, heard: [first, second] });
  await evidence.flush();
  assert.deepEqual(
    state.events.map(({ detail }) => detail.round),
    [4],
  );
});

test('a disk that takes no note of it repeats an event after a restart only; a damaged note is none', async () => {
  const full = async (): Promise<never> => {
    throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
  };
  const { folder, evidence, state } = createHouse(undefined, full);
  for (let look = 0; look < 3; look++) {
    evidence.alarm(ALARM);
    await evidence.flush();
  }
  assert.equal(state.events.length, 1);
  const again = createHouse(folder);
  again.evidence.alarm(ALARM);
  await again.evidence.flush();
  assert.equal(again.state.events.length, 1);
  const [name = ''] = readdirSync(folder);
  writeFileSync(join(folder, name), '{');
  const damaged = createHouse(folder);
  damaged.evidence.alarm(ALARM);
  await damaged.evidence.flush();
  assert.equal(damaged.state.events.length, 1);
});
