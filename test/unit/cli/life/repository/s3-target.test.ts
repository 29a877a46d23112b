import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readS3Credentials, type S3Credentials } from '../../../../../cli/life/repository/s3-credentials.ts';
import { createS3Target } from '../../../../../cli/life/repository/s3-target.ts';
import { memoryObject } from '../../../../../cli/life/repository/spooled-object.ts';
import { type ErrorCode, isNectarError } from '../../../../../protocol/errors.ts';
import { Clinic } from './clinic.ts';
import { type S3Server, SECRETS, startS3Server } from './s3-server.ts';

const { signal } = new AbortController();
const clinic = new Clinic();
const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));
let server: S3Server;

const credentials = (change: Partial<S3Credentials> = {}): S3Credentials => {
  return { ...SECRETS, sessionToken: undefined, endpoint: server.endpoint, ca: undefined, ...change };
};
const target = (change?: Partial<S3Credentials>) => createS3Target('s3://bucket/node-1', credentials(change), signal);
const text = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

before(async () => {
  server = await startS3Server();
});
after(async () => {
  await clinic.close();
  await server.close();
});

test('a node is backed up to an object store, and restored from it', async () => {
  await clinic.open();
  const kept = await clinic.put(70_000);
  const doomed = await clinic.put(1_500_000);
  clinic.target = target();
  await clinic.backUp();
  await clinic.destroy(doomed.id);
  const { newObjects, generation } = await clinic.backUp();
  assert.deepEqual([newObjects, generation], [0, 2]);
  assert.equal([...server.objects.keys()].filter((key) => key.startsWith('node-1/keys/')).length, 1);
  await clinic.restore('again', { generation: 1 });
  const restored = await clinic.openRestored('again');
  try {
    assert.ok(kept.body.equals(await restored.get(kept.id)));
    await assert.rejects(restored.get(doomed.id), code('STORE_RECORD_SHREDDED'));
  } finally {
    await restored.stop();
  }
  await clinic.target.close();
});

test('writes a name once, reads, lists page by page, and removes', async () => {
  const store = target();
  assert.equal(await store.create('objects/ab/one', memoryObject(Buffer.from('one'))), true);
  assert.equal(await store.create('objects/ab/one', memoryObject(Buffer.from('two'))), false);
  assert.equal(await text(store.read('objects/ab/one')), 'one');
  const names: string[] = [];
  for await (const { name } of store.list('objects/')) names.push(name);
  assert.ok(names.length > server.pageSize && names.includes('objects/ab/one'));
  await store.remove('objects/ab/one');
  for await (const { name } of store.list('objects/')) assert.notEqual(name, 'objects/ab/one');
  await assert.rejects(text(store.read('objects/ab/one')), code('BACKUP_OBJECT_MISSING'));
  await store.close();
});

test('comes again when the store says slow down, and says what it refuses', async () => {
  const store = target();
  server.next.push(503, 500);
  assert.equal(await store.create('objects/ab/again', memoryObject(Buffer.from('x'))), true);
  await store.close();
  const stranger = target({ secretAccessKey: 'another' });
  await assert.rejects(stranger.create('objects/x', memoryObject(Buffer.from('x'))), (error) => {
    assert.ok(isNectarError(error, 'BACKUP_TARGET_REFUSED'));
    assert.equal(error.data.reason, '403 SignatureDoesNotMatch');
    assert.ok(!JSON.stringify(error.data).includes('another'));
    return true;
  });
  await stranger.close();
});

test('says when the bucket keeps versions or locks: that would keep what opened a destroyed record', async () => {
  const store = target();
  assert.deepEqual(await store.warnings(), []);
  server.settings = { versioning: true, lock: true };
  const warnings = (await store.warnings()).join(' ');
  assert.match(warnings, /locks objects/);
  assert.match(warnings, /keeps versions/);
  server.settings = {};
  await store.close();
});

test('takes credentials from a file that only its owner reads, over TLS but to this machine', async () => {
  const path = join(clinic.folder, 's3');
  const write = (lines: string): void => {
    writeFileSync(path, lines);
    chmodSync(path, 0o600);
  };
  const secret = 'aws_access_key_id = A\naws_secret_access_key = B\n';
  write(`[default]\n${secret}region = eu-1\n[other]\nregion = x\n`);
  const read = await readS3Credentials(path);
  assert.deepEqual(
    [read.accessKeyId, read.region, read.endpoint.href],
    ['A', 'eu-1', 'https://s3.eu-1.amazonaws.com/'],
  );
  write(`${secret}endpoint_url = http://store.example\n`);
  await assert.rejects(readS3Credentials(path), /https/);
  write('aws_access_key_id = A\n');
  await assert.rejects(readS3Credentials(path), /aws_secret_access_key/);
  write(secret);
  chmodSync(path, 0o644);
  await assert.rejects(readS3Credentials(path), /others may read it/);
});

test('refuses a place that is none', () => {
  for (const place of ['s3://', 's3://UPPER/x', 's3://bucket/../x', 's3://bucket/a b'])
    assert.throws(() => createS3Target(place, credentials(), signal), code('CLI_USAGE'), place);
});
