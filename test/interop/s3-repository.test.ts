import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AwsV4Signer } from 'aws4fetch';
import type { S3Credentials } from '../../cli/life/repository/s3-credentials.ts';
import { createS3Target } from '../../cli/life/repository/s3-target.ts';
import { memoryObject } from '../../cli/life/repository/spooled-object.ts';
import type { Target } from '../../cli/life/repository/target.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { Clinic } from '../unit/cli/life/repository/clinic.ts';
import { unless } from './programs.ts';
import { ACCESS, VersityGateway } from './s3/versitygw.ts';

const BUCKET = 'clinic-backup';
const { signal } = new AbortController();

describe('a backup repository in versitygw, an S3 server', { skip: unless('go', 'version') }, () => {
  const server = new VersityGateway();
  const clinic = new Clinic();
  const credentials = (): S3Credentials => {
    return { ...ACCESS, region: 'us-east-1', sessionToken: undefined, endpoint: server.endpoint, ca: undefined };
  };
  const at = (prefix: string, change: Partial<S3Credentials> = {}): Target =>
    createS3Target(`s3://${BUCKET}/${prefix}`, { ...credentials(), ...change }, signal);

  /** A call of S3 that no backup makes. */
  async function call(method: string, query: string, body = ''): Promise<string> {
    const url = new URL(`/${BUCKET}?${query}`, server.endpoint).href;
    const signed = await new AwsV4Signer({ method, url, body, ...ACCESS, region: 'us-east-1', service: 's3' }).sign();
    const answer = await fetch(signed.url, { method, headers: signed.headers, ...(body !== '' && { body }) });
    const text = await answer.text();
    assert.ok(answer.ok, `${answer.status} ${text}`);
    return text;
  }
  const namesOf = async (target: Target, prefix: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of target.list(prefix)) names.push(name);
    return names;
  };

  before(async () => {
    await server.start(BUCKET);
    await clinic.open();
  });
  after(async () => {
    await clinic.close();
    await server.stop();
  });

  test('is brought, added to, reached by a destruction, and restored', async () => {
    clinic.target = at('node-1');
    const kept = await clinic.put(2_500_000);
    const doomed = await clinic.put(9_000);
    await clinic.backUp();
    await clinic.destroy(doomed.id);
    const second = await clinic.backUp();
    assert.deepEqual([second.newObjects, second.generation], [0, 2]);
    assert.equal((await namesOf(clinic.target, 'keys/')).length, 1);
    await clinic.restore('again', { generation: 1 });
    const restored = await clinic.openRestored('again');
    try {
      assert.ok(kept.body.equals(await restored.get(kept.id)));
      await assert.rejects(restored.get(doomed.id), (error) => isNectarError(error, 'STORE_RECORD_SHREDDED'));
    } finally {
      await restored.stop();
    }
    await clinic.target.close();
  });

  test('of sixteen writers of one name one wins', async () => {
    const target = at('race');
    const made = await Promise.all(
      Array.from({ length: 16 }, (_, i) => target.create('snapshots/0000000001.note', memoryObject(Buffer.from([i])))),
    );
    assert.equal(made.filter(Boolean).length, 1);
    await target.close();
  });

  test('lists more names than one page holds', async () => {
    const target = at('many');
    const names = Array.from({ length: 1_050 }, (_, i) => `objects/ab/${String(i).padStart(4, '0')}`);
    for (let from = 0; from < names.length; from += 16)
      await Promise.all(
        names.slice(from, from + 16).map((name) => target.create(name, memoryObject(Buffer.from('x')))),
      );
    assert.deepEqual((await namesOf(target, 'objects/')).sort(), names);
    await target.close();
  });

  test('refuses a wrong secret, and content that is not what was signed', async () => {
    const stranger = at('node-1', { secretAccessKey: 'another' });
    await assert.rejects(namesOf(stranger, 'keys/'), (error) => isNectarError(error, 'BACKUP_TARGET_REFUSED'));
    await stranger.close();
    const target = at('node-1');
    const lying = {
      ...memoryObject(Buffer.from('one')),
      async *read() {
        yield Buffer.from('two');
      },
    };
    await assert.rejects(target.create('objects/ab/lying', lying), (error) =>
      isNectarError(error, 'BACKUP_TARGET_REFUSED'),
    );
    await target.close();
  });

  test('keeps no version of a key table in a bucket that keeps versions, and says that the bucket does', async () => {
    await call(
      'PUT',
      'versioning=',
      '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
    );
    const target = at('versioned');
    const name = `keys/0000000001-${'ab'.repeat(32)}`;
    await target.create(name, memoryObject(Buffer.from('what opens records')));
    assert.match((await target.warnings()).join(' '), /keeps versions/);
    await target.remove(name);
    assert.deepEqual(await namesOf(target, 'keys/'), []);
    const versions = await call('GET', `versions=&prefix=${encodeURIComponent('versioned/keys/')}`);
    assert.doesNotMatch(versions, /<Version>/);
    await target.close();
  });
});
