import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { createDataSurvey } from '../../../../hardening/collectors/data-survey.ts';
import { createFolderPlace } from '../../../../hardening/collectors/folder-place.ts';
import type { Place } from '../../../../hardening/collectors/place.ts';
import { createPlaintextCollector } from '../../../../hardening/collectors/plaintext.ts';
import { collect, valuesOf } from './facts-of.ts';
import { FakeNode, type FakeNodeOptions } from './fake-node.ts';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-plain-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ['audit', 'store']) mkdirSync(join(folder, name));
  await writeFile(join(folder, 'store', 'sealed'), randomBytes(50_000));
  return folder;
}

interface Look {
  readonly places: readonly Place[];
  readonly options?: FakeNodeOptions;
  readonly probe?: boolean;
  readonly running?: boolean;
}

async function look({ places, options = {}, probe = true, running = true }: Look) {
  const node = new FakeNode(options);
  const api = running ? node : undefined;
  const survey = createDataSurvey({ places, probe }, { api, vkey: () => node.vkey, randomBytes });
  const facts = await collect(createPlaintextCollector({ inMemory: ['sock-store'] }, { survey }));
  return { node, facts, seen: valuesOf(facts, 'node', 'node') };
}

const home = (folder: string): Place => createFolderPlace({ name: 'home', folder, owners: [] });

test('finds nothing of a node that seals, and leaves no canary behind', async (t) => {
  const { node, seen } = await look({ places: [home(await temporary(t))] });
  assert.equal(seen['node.encryptionProbe'], true);
  assert.equal(seen['node.shredProbe'], true);
  assert.equal(seen['node.auditAppendProbe'], true);
  assert.equal(seen['node.auditBodiesSealed'], true);
  assert.equal(seen['node.canariesFound'], 0);
  assert.deepEqual(seen['node.plaintextMarkers'], []);
  assert.equal(seen['node.scannedBytes'], 50_000);
  assert.equal(node.records.size, 0);
});

test('finds the canary of a node that stores what it is given, or its name, or its labels', async (t) => {
  const leaks: Record<string, (content: Buffer, headers: Readonly<Record<string, string>>) => Buffer | string> = {
    content: (content) => content,
    name: (_, headers) => headers['x-nectar-name'] ?? '',
    labels: (_, headers) => headers['x-nectar-labels'] ?? '',
    encoded: (content) => content.toString('base64'),
  };
  for (const [what, leak] of Object.entries(leaks)) {
    const folder = await temporary(t);
    const { seen } = await look({
      places: [home(folder)],
      options: { onPut: (content, headers) => appendFileSync(join(folder, 'store', 'leak'), leak(content, headers)) },
    });
    assert.equal(seen['node.encryptionProbe'], false, what);
    assert.equal(seen['node.canariesFound'], 1, what);
    assert.deepEqual(seen['node.canaryPlaces'], ['home'], what);
  }
});

test('does not find what a compressor hid: the limit of such a search', async (t) => {
  const folder = await temporary(t);
  const onPut = (content: Buffer): void => appendFileSync(join(folder, 'store', 'leak'), deflateRawSync(content));
  const { seen } = await look({ places: [home(folder)], options: { onPut } });
  assert.equal(seen['node.canariesFound'], 0);
});

test('tells a node that gives back something else, does not destroy, or does not log', async (t) => {
  const places = [home(await temporary(t))];
  assert.equal((await look({ places, options: { alterReads: true } })).seen['node.encryptionProbe'], false);
  assert.equal((await look({ places, options: { keepShredded: true } })).seen['node.shredProbe'], false);
  assert.equal((await look({ places, options: { forgetReads: true } })).seen['node.auditAppendProbe'], false);
});

test('believes a log entry for its proof alone', async (t) => {
  const places = [home(await temporary(t))];
  const node = new FakeNode();
  const other = new FakeNode();
  const survey = createDataSurvey({ places, probe: true }, { api: node, vkey: () => other.vkey, randomBytes });
  const seen = valuesOf(await collect(createPlaintextCollector({ inMemory: [] }, { survey })), 'node', 'node');
  assert.match((seen['node.auditAppendProbe'] as { error: string }).error, /another key/);
});

test('finds clinical data that lies there bare, and events of the log', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'audit', 'bodies'), '{"resourceType":"AuditEvent"}');
  await writeFile(join(folder, 'store', 'scan'), Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]));
  const { seen } = await look({ places: [home(folder)] });
  assert.equal(seen['node.auditBodiesSealed'], false);
  assert.deepEqual(seen['node.plaintextMarkers'], ['DICM in home', 'FHIR in home']);
});

test('says of each volume what is in it, and that there is no disk under those in memory', async (t) => {
  const [bad, good] = [await temporary(t), await temporary(t)];
  await writeFile(join(bad, 'log'), 'MSH|^~\\&|LAB');
  const volume = (folder: string, name: string): Place => ({ ...home(folder), name, volume: `nectar-${name}` });
  const places = [volume(bad, 'store'), volume(good, 'audit')];
  const { facts } = await look({ places });
  assert.deepEqual(valuesOf(facts, 'volume', 'nectar-store')['volume.plaintextMarkers'], ['HL7']);
  assert.deepEqual(valuesOf(facts, 'volume', 'nectar-audit'), {
    'volume.canaries': 0,
    'volume.scannedBytes': 50_000,
    'volume.plaintextMarkers': [],
  });
  assert.deepEqual(valuesOf(facts, 'volume', 'sock-store')['volume.canaries'], { absent: 'it lies in memory' });
});

/** Lists one file, then nothing can be read any more. */
function broken(folder: string): Place {
  const whole = home(folder);
  return {
    ...whole,
    async *entries(signal) {
      yield* whole.entries(signal);
      throw new Error('the stream was cut off');
    },
  };
}

test('calls what could not be read to its end an error, never nothing found; what was found stands', async (t) => {
  const folder = await temporary(t);
  const { seen } = await look({ places: [broken(folder)] });
  const error = { error: 'home: the stream was cut off' };
  for (const fact of ['node.encryptionProbe', 'node.canariesFound', 'node.plaintextMarkers', 'node.scannedBytes']) {
    assert.deepEqual(seen[fact], error, fact);
  }
  await writeFile(join(folder, 'audit', 'bodies'), '{"resourceType":"AuditEvent"}');
  const found = await look({ places: [broken(folder)] });
  assert.deepEqual(found.seen['node.plaintextMarkers'], ['FHIR in home']);
  assert.equal(found.node.records.size, 0);
});

test('puts nothing when probing is switched off, and says so of what it would have shown', async (t) => {
  const { node, seen } = await look({ places: [home(await temporary(t))], probe: false });
  const error = { error: 'probing was switched off' };
  assert.deepEqual(node.requests, []);
  for (const fact of ['encryptionProbe', 'shredProbe', 'auditAppendProbe', 'canariesFound', 'canaryPlaces']) {
    assert.deepEqual(seen[`node.${fact}`], error, fact);
  }
  assert.deepEqual(seen['node.plaintextMarkers'], []);
});

test('says why no canary could be planted: a node that is down, and one that is locked', async (t) => {
  const places = [home(await temporary(t))];
  const down = await look({ places, running: false });
  assert.match((down.seen['node.encryptionProbe'] as { error: string }).error, /does not run/);
  const answers = { '/v1/records': { status: 423, body: { code: 'KEY_LOCKED' } } };
  const locked = await look({ places, options: { answers } });
  assert.deepEqual(locked.seen['node.encryptionProbe'], { error: 'a canary was not taken: 423 KEY_LOCKED' });
});

test('destroys its canaries whenever whoever asked leaves, also while one is being put or read', async (t) => {
  const places = [home(await temporary(t))];
  for (let moment = 1; moment <= 6; moment += 1) {
    const leaving = new AbortController();
    const onRequest = (number: number) => {
      if (number === moment) leaving.abort(new Error('left'));
    };
    const node: FakeNode = new FakeNode({ onRequest });
    const survey = createDataSurvey({ places, probe: true }, { api: node, vkey: () => node.vkey, randomBytes });
    await assert.rejects(survey.run(leaving.signal), /left/, `request ${moment}`);
    assert.deepEqual([...node.records.keys()], [], `left at ${node.requests.join(', ')}`);
  }
});
