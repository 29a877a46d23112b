import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Custody } from '../../appliance/custody/index.ts';
import {
  encodeRepositoryHeader,
  HEADER_NAME,
  objectName,
  snapshotName,
  tableName,
} from '../../protocol/backup/repository.ts';
import { encodeSnapshotStatement, NO_PREVIOUS } from '../../protocol/backup/snapshot-statement.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';
import { encodeNote, noteSignature } from '../../protocol/merkle/note.ts';
import { encodeVerifierKey, SIGNATURE_TYPE, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';

/** What is kept, however it is reached; `maxBytes` is the quota of a repository. */
export interface CustodyUnderTest {
  readonly custody: Custody;
  readonly maxBytes: number;
  readonly maxRepositories: number;
  /** The same folder behind a new service. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const { signal } = new AbortController();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));

async function* pieces(bytes: Uint8Array, size = 70_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

/** A node that backs itself up: what it signs, and what it names. */
class Owner {
  readonly repository = randomBytes(16).toString('hex');
  readonly nodeId = randomBytes(16).toString('hex');
  readonly key: VerifierKey;
  readonly secret: KeyObject;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.secret = privateKey;
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    this.key = { name: 'nectar.test/node', type: SIGNATURE_TYPE.ed25519, publicKey: new Uint8Array(raw) };
  }

  header(change: object = {}): Buffer {
    const { repository, nodeId } = this;
    const checkpointKey = encodeVerifierKey(this.key);
    const about = { format: 'nectar-byon-repository', version: 1, repository, nodeId } as const;
    return Buffer.from(
      encodeRepositoryHeader({ ...about, createdAt: '2026-11-23T06:00:00.000Z', checkpointKey, ...change }),
    );
  }

  note(generation: number, table: Uint8Array, secret = this.secret): Buffer {
    const { repository, nodeId } = this;
    const zeros = '0'.repeat(64);
    const text = encodeSnapshotStatement({
      ...{ nodeId, repository, generation, createdAt: `2026-11-23T06:00:0${generation % 10}.000Z`, leaves: 1 },
      ...{ checkpointSize: 0, checkpointRoot: zeros, manifestSha256: sha256(Buffer.from('manifest')) },
      ...{ tableSha256: sha256(table), previous: NO_PREVIOUS },
    });
    const signature = new Uint8Array(sign(null, Buffer.from(text), secret));
    return Buffer.from(encodeNote({ text, signatures: [noteSignature(this.key, signature)] }));
  }
}

/** What every custody does, whatever it is made of and however it is called. */
export function custodyCompliance(how: string, create: () => Promise<CustodyUnderTest>): void {
  describe(`custody compliance: ${how}`, () => {
    let under: CustodyUnderTest;
    before(async () => {
      under = await create();
    });
    after(() => under.close());

    const owner = new Owner('clinic-a');
    const put = (name: string, bytes: Uint8Array, by = owner.name) =>
      under.custody.put(by, name, pieces(bytes), signal);
    const read = async (name: string, by = owner.name): Promise<Buffer> => {
      const { bytes, body } = await under.custody.read(by, name);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(Buffer.from(chunk));
      assert.equal(Buffer.concat(chunks).length, bytes);
      return Buffer.concat(chunks);
    };
    const names = async (part: 'objects/' | 'keys/' | 'snapshots/', by = owner.name): Promise<string[]> => {
      const found: string[] = [];
      for await (const { name } of under.custody.list(by, part)) found.push(name);
      return found;
    };
    const tables = [1, 2, 3].map((n) => Buffer.from(`what opens records, ${n}`));
    const [one, two, three] = tables as [Buffer, Buffer, Buffer];
    const object = randomBytes(300_000);

    it('takes nothing before the header that pins the key of its owner', async () => {
      await assert.rejects(put(objectName(sha256(object)), object), code('CUSTODY_CONTENT_REFUSED'));
      const { checkpointKey: _, ...without } = JSON.parse(owner.header().toString()) as Record<string, unknown>;
      await assert.rejects(put(HEADER_NAME, Buffer.from(JSON.stringify(without))), code('CUSTODY_CONTENT_REFUSED'));
      await put(HEADER_NAME, owner.header());
      await assert.rejects(put(HEADER_NAME, new Owner('x').header()), code('CUSTODY_OBJECT_PRESENT'));
    });

    it('keeps what is what its name says, whole, and replaces nothing', async () => {
      await put(objectName(sha256(object)), object);
      assert.ok((await read(objectName(sha256(object)))).equals(object));
      await assert.rejects(put(objectName(sha256(object)), object), code('CUSTODY_OBJECT_PRESENT'));
      await assert.rejects(put(objectName(sha256(Buffer.from('b'))), object), code('CUSTODY_CONTENT_REFUSED'));
      for (const name of ['../owner.json', 'objects/zz/x', 'owner.json', 'keys/1-a', ''])
        await assert.rejects(put(name, object), code('CUSTODY_NAME_INVALID'), name);
      await assert.rejects(read('snapshots/0000000009.note'), code('CUSTODY_OBJECT_ABSENT'));
      assert.deepEqual(await names('objects/'), [objectName(sha256(object))]);
    });

    it('takes a snapshot only of the pinned key, with its table there', async () => {
      await assert.rejects(put(snapshotName(1), owner.note(1, one)), code('CUSTODY_CONTENT_REFUSED'));
      await put(tableName(1, sha256(one)), one);
      const forged = owner.note(1, one, new Owner('thief').secret);
      await assert.rejects(put(snapshotName(1), forged), code('CUSTODY_CONTENT_REFUSED'));
      await assert.rejects(put(snapshotName(2), owner.note(1, one)), code('CUSTODY_CONTENT_REFUSED'));
      await put(snapshotName(1), owner.note(1, one));
    });

    it('lets a key table go only for a newer one that the owner has signed, and takes no older one back', async () => {
      const [first, second] = [tableName(1, sha256(one)), tableName(2, sha256(two))];
      await assert.rejects(under.custody.supersede(owner.name, [first]), code('CUSTODY_REMOVAL_REFUSED'));
      await put(second, two);
      await assert.rejects(under.custody.supersede(owner.name, [first]), code('CUSTODY_REMOVAL_REFUSED'));
      await put(snapshotName(2), owner.note(2, two));
      await assert.rejects(under.custody.supersede(owner.name, [first, second]), code('CUSTODY_REMOVAL_REFUSED'));
      assert.deepEqual(await names('keys/'), [first, second]);
      assert.deepEqual(await under.custody.supersede(owner.name, [first]), { objects: 1, bytes: one.length });
      assert.deepEqual(await names('keys/'), [second]);
      await assert.rejects(put(first, one), code('CUSTODY_CONTENT_REFUSED'));
    });

    it('removes objects and snapshots for whoever may prune, and never the newest', async () => {
      const gone = [objectName(sha256(object)), snapshotName(1)];
      for (const name of gone)
        await assert.rejects(under.custody.supersede(owner.name, [name]), code('CUSTODY_REMOVAL_REFUSED'));
      for (const name of [snapshotName(2), tableName(2, sha256(two)), HEADER_NAME])
        await assert.rejects(under.custody.prune(owner.name, [name]), code('CUSTODY_REMOVAL_REFUSED'), name);
      assert.equal((await under.custody.prune(owner.name, gone)).objects, 2);
      assert.deepEqual([await names('objects/'), await names('snapshots/')], [[], [snapshotName(2)]]);
      // Again: a removal whose answer was lost.
      assert.equal((await under.custody.prune(owner.name, gone)).objects, 0);
    });

    it('knows after a restart what was signed last, and how much is there', async () => {
      const before = await under.custody.repositories();
      const { refused, oldestAt, ...kept } = await under.custody.standing();
      assert.deepEqual(kept, {
        repositories: before.length,
        bytes: before[0]?.bytes,
        fullestBytes: before[0]?.bytes,
        quotaBytes: under.maxBytes,
      });
      assert.equal(oldestAt, before[0]?.snapshotAt);
      assert.ok(refused > 0);
      await under.restart();
      assert.deepEqual(await under.custody.repositories(), before);
      const [found] = before;
      assert.deepEqual([found?.owner, found?.nodeId, found?.generation], ['clinic-a', owner.nodeId, 2]);
      await put(tableName(3, sha256(three)), three);
      await assert.rejects(
        under.custody.supersede(owner.name, [tableName(2, sha256(two))]),
        code('CUSTODY_REMOVAL_REFUSED'),
      );
    });

    it('shows an owner nothing of another', async () => {
      assert.deepEqual(await names('keys/', 'clinic-b'), []);
      await assert.rejects(read(tableName(2, sha256(two)), 'clinic-b'), code('CUSTODY_OBJECT_ABSENT'));
      await assert.rejects(under.custody.prune('clinic-b', [snapshotName(2)]), code('CUSTODY_REPOSITORY_ABSENT'));
      await assert.rejects(under.custody.destroy('clinic-b'), code('CUSTODY_REPOSITORY_ABSENT'));
    });

    it('holds to its quota, also with what comes at the same time or is refused in the end', async () => {
      const large = [0, 1, 2].map(() => randomBytes(Math.floor(under.maxBytes * 0.45)));
      const put3 = large.map((bytes) => put(objectName(sha256(bytes)), bytes));
      const results = await Promise.allSettled(put3);
      const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      assert.ok(refused.length >= 1, 'three do not fit');
      for (const { reason } of refused) code('CUSTODY_QUOTA')(reason);
      const [found] = await under.custody.repositories();
      assert.ok((found?.bytes ?? 0) <= under.maxBytes);
      await under.restart();
      assert.deepEqual((await under.custody.repositories())[0]?.bytes, found?.bytes);
      await under.custody.prune(owner.name, await names('objects/'));
      await put(objectName(sha256(object)), object);
    });

    it('begins no more repositories than it may, and ends one as a whole', async () => {
      for (let n = 1; n < under.maxRepositories; n += 1) await put(HEADER_NAME, new Owner('n').header(), `more-${n}`);
      await assert.rejects(put(HEADER_NAME, new Owner('n').header(), 'too-many'), code('CUSTODY_QUOTA'));
      assert.ok((await under.custody.destroy(owner.name)).objects > 2);
      assert.deepEqual(await names('snapshots/'), []);
      await put(HEADER_NAME, new Owner('n').header(), 'too-many');
    });
  });
}
