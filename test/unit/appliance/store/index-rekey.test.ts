import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import { rawCid } from '../../../../appliance/store/cid.ts';
import type { Store } from '../../../../appliance/store/index.ts';
import { createIndexKeys, createRenaming, KIND } from '../../../../appliance/store/index-keys.ts';
import { rekeyIndex, secretOf } from '../../../../appliance/store/index-rekey.ts';
import type { Cid, PeerIdText, RecordId } from '../../../../protocol/brand.ts';
import { MAX_INDEX_NAME_KEYS, nextIndexSecret, parseIndexSecret } from '../../../../protocol/envelope/index-secret.ts';
import { context, createFixture, createTestKeys, get, put, signal } from './store-fixture.ts';

const random = (n: number): Uint8Array => new Uint8Array(randomBytes(n));
const ID = '0123456789abcdef0123456789abcdef' as RecordId;
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' as Cid;
const OWNER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA' as PeerIdText;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-index-rekey-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Keys of a store whose index is to get another secret, and what becomes of the list. */
function rekeyable() {
  const keys = createTestKeys();
  let current = keys.derive('index');
  let pending: Uint8Array | undefined;
  return {
    keys: Object.assign(keys, {
      derive: () => Uint8Array.from(current),
      pending: () => (pending === undefined ? undefined : Uint8Array.from(pending)),
    }),
    make() {
      pending = nextIndexSecret(crypto, current, random);
    },
    async settle() {
      current = pending ?? assert.fail('nothing is pending');
      pending = undefined;
    },
    isPending: () => pending !== undefined,
    current: () => Uint8Array.from(current),
  };
}

test('a renamed key is the key that the next secret makes of the same name, in every kind', () => {
  const first = random(32);
  const second = nextIndexSecret(crypto, first, random);
  const third = nextIndexSecret(crypto, second, random);
  const all = (secret: Uint8Array): Uint8Array[] => {
    const keys = createIndexKeys(crypto, secret);
    const ofCid = ([KIND.inlineBlock, KIND.root, KIND.garbage, KIND.superseded] as const).map((kind) =>
      keys.ofCid(kind, CID),
    );
    const ofVersion = ([KIND.unanchored, KIND.underReplicated] as const).map((kind) => keys.ofVersion(kind, ID, 7));
    return [
      ...[keys.head(ID), keys.version(ID, 3), keys.listing(undefined, 5), keys.listing('ward=3', 2 ** 40)],
      ...[...ofCid, ...ofVersion, keys.intent(ID), keys.heldBlock(OWNER, CID), keys.heldRoot(OWNER, CID, CID)],
      ...[keys.heldPartial(OWNER, CID), keys.heldShard(OWNER, CID), keys.shardSegment(CID, 3)],
      ...[keys.shardPlace(CID), keys.shardHolder(OWNER)],
      ...[keys.heldOwner(OWNER), keys.holder(OWNER), keys.release(OWNER, 1_800_000_000_000, CID), keys.lost(ID)],
      ...[keys.erasure(ID), keys.idempotency('k'), keys.idempotencyAge(1_800_000_000_000, 'k'), keys.stats],
      ...[keys.condition, keys.restored, keys.rekey, keys.scrubbed, keys.offer, keys.sharding],
    ];
  };
  assert.deepEqual(new Set(all(first).map(([kind]) => kind)), new Set(Object.values(KIND)), 'every kind is here');
  for (const [from, to] of [
    [first, second],
    [second, third],
    [first, third],
  ] as const) {
    const renamed = all(from).map(createRenaming(crypto, { from, to }));
    assert.deepEqual(renamed.map(String), all(to).map(Buffer.from).map(String));
  }
  const named = (secret: Uint8Array): string[] =>
    all(secret)
      .slice(0, -7)
      .map((key) => Buffer.from(key).toString('hex'));
  assert.deepEqual(
    named(first).filter((name) => named(second).includes(name)),
    [],
  );
  const folders = [first, second, third].map((secret) => createIndexKeys(crypto, secret).heldFolder(OWNER));
  assert.equal(new Set(folders).size, 1, 'folders of held blocks are not moved');
});

test('a name under a later secret is an HMAC by its own key of the name before', () => {
  const first = random(32);
  const second = nextIndexSecret(crypto, first, random);
  const [innermost = assert.fail(), outer = assert.fail()] = parseIndexSecret(crypto, second).names;
  const inner = createHmac('sha256', innermost).update(`record\0${ID}`).digest('binary');
  const name = createHmac('sha256', outer).update(inner, 'utf8').digest('hex');
  assert.equal(Buffer.from(createIndexKeys(crypto, second).head(ID)).toString('hex'), `01${name}`);
});

test('a secret keeps no key that opened values before, and grows to a bound', () => {
  let secret = random(32);
  for (let round = 0; round < MAX_INDEX_NAME_KEYS + 2; round++) {
    const next = nextIndexSecret(crypto, secret, random);
    const { key, names } = parseIndexSecret(crypto, secret);
    const after = parseIndexSecret(crypto, next);
    assert.notDeepEqual(after.key, key);
    assert.equal(Buffer.from(next).includes(Buffer.from(key)), false);
    assert.equal(after.names.length, Math.min(names.length + 1, MAX_INDEX_NAME_KEYS));
    createRenaming(crypto, { from: secret, to: next })(createIndexKeys(crypto, secret).head(ID));
    secret = next;
  }
  assert.throws(() => createRenaming(crypto, { from: random(32), to: secret }), RangeError);
  for (const length of [0, 31, 33, 32 * (MAX_INDEX_NAME_KEYS + 2)])
    assert.throws(() => parseIndexSecret(crypto, random(length)), RangeError);
});

interface Filled {
  readonly ids: readonly RecordId[];
  /** Whoever asks the store sees this, before and after. */
  seen(store: Store): Promise<unknown>;
}

/** Records with labels, versions, a destroyed one, an idempotency key and a held block. */
async function fill(store: Store): Promise<Filled> {
  const ids: RecordId[] = [];
  for (let i = 0; i < 12; i++)
    ids.push(
      (await put(store, Buffer.alloc(i * 50, i), { labels: ['ward=3', `n=${i % 3}`], name: `file ${i}` })).recordId,
    );
  await put(store, Buffer.from('second version'), { recordId: ids[0] ?? assert.fail(), labels: ['ward=4'] });
  await store.shred(ids[1] ?? assert.fail(), context);
  const block = Buffer.from('a block of a peer');
  const cid = rawCid(block).toString() as Cid;
  await store.held.hold(OWNER, cid, { cid, bytes: block });
  return {
    ids,
    async seen(now) {
      const lists = await Promise.all(
        [{}, { label: 'ward=3' }, { label: 'n=2' }, { label: 'ward=4' }].map((query) =>
          now.list({ limit: 100, ...query }, context),
        ),
      );
      const contents = await Promise.all(
        ids.map((id) => get(now, id).then(String, (error: { code: string }) => error.code)),
      );
      const held = await now.held.get(OWNER, cid);
      return {
        lists,
        contents,
        held: held && Buffer.from(held).toString(),
        bytes: now.held.bytes(),
        stats: now.stats(),
      };
    },
  };
}

async function filledHome() {
  const list = rekeyable();
  const f = await createFixture({
    keys: list.keys,
    settleIndex: list.settle,
    home: await mkdtemp(join(folder, 'home-')),
  });
  const filled = await fill(f.store);
  return { f, list, filled, index: join(f.home, 'store', 'index') };
}

async function keysOf(index: string): Promise<Set<string>> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(index, { keyEncoding: 'view', valueEncoding: 'view' });
  const keys = new Set<string>();
  for await (const key of db.keys()) keys.add(Buffer.from(key).toString('hex'));
  await db.close();
  return keys;
}

test('a start seals the index by the pending key: all is there, and the old secret opens and names nothing of it', async () => {
  const { f, list, filled, index } = await filledHome();
  const was = await filled.seen(f.store);
  const old = list.current();
  for (let round = 0; round < 2; round++) {
    list.make();
    await f.restart();
    assert.equal(list.isPending(), false);
    assert.deepEqual(await filled.seen(f.store), was, `round ${round}`);
  }
  const found = await f.store.scrub(() => undefined);
  assert.deepEqual(found.findings ?? [], []);
  await put(f.store, Buffer.from('one more'));
  await f.store.stop();
  assert.deepEqual(
    (await readdir(join(f.home, 'store'))).filter((name) => name.startsWith('index')),
    ['index'],
  );
  assert.equal(
    await secretOf(index, { current: old, pending: list.current() }, crypto).then((one) => one === old),
    false,
  );
  const names = createIndexKeys(crypto, old);
  const present = await keysOf(index);
  for (const id of filled.ids) assert.equal(present.has(Buffer.from(names.head(id)).toString('hex')), false);
  await f.start();
  await f.close();
});

test('an end of the process at any moment leaves an index that the next start opens, whole', async () => {
  const { f, list, filled, index } = await filledHome();
  const was = await filled.seen(f.store);
  await f.store.stop();
  const [from, next, former] = [list.current(), `${index}-next`, `${index}-former`];
  list.make();
  const to = list.keys.pending('index') ?? assert.fail();
  await cp(index, `${index}.old`, { recursive: true });
  const request = { folder: index, from, to, crypto, randomBytes: random, onProgress: () => undefined, signal };
  await rekeyIndex(request);
  await rename(index, `${index}.new`);
  await rename(former, `${index}.rest`);
  const place = async (places: Readonly<Record<string, 'old' | 'new' | 'part'>>): Promise<void> => {
    for (const at of [index, next, former]) await rm(at, { recursive: true, force: true });
    for (const [at, what] of Object.entries(places)) {
      if (what !== 'part') await cp(`${index}.${what}`, at, { recursive: true });
      else await mkdir(at).then(() => writeFile(join(at, 'MANIFEST-000001'), 'cut off'));
    }
  };
  const ends: Readonly<Record<string, 'old' | 'new' | 'part'>>[] = [
    { [index]: 'old' },
    { [index]: 'old', [next]: 'part' },
    { [index]: 'old', [next]: 'new' },
    { [next]: 'new', [former]: 'old' },
    { [index]: 'new', [former]: 'old' },
    { [index]: 'new' },
  ];
  for (const [at, places] of ends.entries()) {
    await place(places);
    let pending: Uint8Array | undefined = to;
    let settled = 0;
    const keys = Object.assign(Object.create(list.keys), {
      derive: () => Uint8Array.from(pending === undefined ? to : from),
      pending: () => (pending === undefined ? undefined : Uint8Array.from(pending)),
    }) as typeof list.keys;
    const settleIndex = async (): Promise<void> => {
      pending = undefined;
      settled += 1;
    };
    const g = await createFixture({ home: f.home, keys, audit: f.audit, settleIndex });
    assert.deepEqual([await filled.seen(g.store), settled], [was, 1], `end ${at}`);
    await g.restart();
    assert.deepEqual([await filled.seen(g.store), settled], [was, 1], `end ${at}, once more`);
    await g.store.stop();
    const left = (await readdir(join(f.home, 'store'))).filter((name) => /^index(-|$)/.test(name));
    assert.deepEqual(left, ['index'], `end ${at}`);
  }
});

test('an index with a value that does not open stays under the secret that it has, until fsck has mended it', async () => {
  const { f, list, filled, index } = await filledHome();
  const was = await filled.seen(f.store);
  await f.store.stop();
  const db = new ClassicLevel<Uint8Array, Uint8Array>(index, { keyEncoding: 'view', valueEncoding: 'view' });
  const queued = createIndexKeys(crypto, list.current()).ofVersion(KIND.unanchored, filled.ids[3] ?? assert.fail(), 1);
  const sealed = Buffer.from((await db.get(queued)) ?? assert.fail());
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  await db.put(queued, sealed);
  await db.close();
  list.make();
  await f.start();
  assert.deepEqual([list.isPending(), await filled.seen(f.store)], [true, was]);
  const left = (await readdir(join(f.home, 'store'))).filter((name) => name.startsWith('index'));
  assert.deepEqual(left, ['index']);
  await f.store.fsck({ accept: false, context }, () => undefined);
  await f.restart();
  assert.deepEqual([list.isPending(), await filled.seen(f.store)], [false, was]);
  await f.close();
});

test('a list that cannot be written leaves the secret pending, and the index is read by it all the same', async () => {
  const { f, list, filled } = await filledHome();
  const was = await filled.seen(f.store);
  await f.store.stop();
  list.make();
  let isFull = true;
  const settleIndex = async (): Promise<void> => {
    if (isFull) throw new Error('no space');
    await list.settle();
  };
  const g = await createFixture({ home: f.home, keys: list.keys, audit: f.audit, settleIndex });
  assert.deepEqual([list.isPending(), await filled.seen(g.store)], [true, was]);
  const made = await put(g.store, Buffer.from('meanwhile'));
  isFull = false;
  await g.restart();
  assert.equal(list.isPending(), false);
  assert.equal(String(await get(g.store, made.recordId)), 'meanwhile');
  await g.close();
});
