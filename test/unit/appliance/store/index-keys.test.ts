import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/node-envelope-crypto.ts';
import { createIndexKeys, KIND, listingSeq } from '../../../../appliance/store/index-keys.ts';
import type { Cid, PeerIdText, RecordId } from '../../../../protocol/brand.ts';

const indexKey = new Uint8Array(32).fill(7);
const keys = createIndexKeys(crypto, indexKey);
const ID = '0123456789abcdef0123456789abcdef' as RecordId;
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' as Cid;
const OWNER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA' as PeerIdText;

const nameKey = crypto.hkdf(indexKey, new Uint8Array(0), Buffer.from('nectar/index/names/1'), 32);
const name = (...parts: string[]): string => createHmac('sha256', nameKey).update(parts.join('\0')).digest('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The layout of indexes that are on disks: kind | HMAC of the name | order. */
test('writes the keys of every kind as they lie on disks', () => {
  assert.equal(hex(keys.head(ID)), `01${name('record', ID)}`);
  assert.equal(hex(keys.version(ID, 0xfe01_0203)), `02${name('record', ID)}fe010203`);
  assert.equal(hex(keys.listing(undefined, 2 ** 40 + 5)), `03${name('list-all')}0000010000000005`);
  assert.equal(hex(keys.listing('ward-3', 0xffff_ffff)), `03${name('list', 'ward-3')}00000000ffffffff`);
  assert.equal(hex(keys.ofCid(KIND.inlineBlock, CID)), `04${name('kind-4', CID)}`);
  assert.equal(hex(keys.ofVersion(KIND.unanchored, ID, 3)), `08${name('kind-8', ID, '3')}`);
  assert.equal(hex(keys.intent(ID)), `07${name('intent', ID)}`);
  assert.equal(hex(keys.heldBlock(OWNER, CID)), `0a${name('held-block', OWNER, CID)}`);
  assert.equal(
    hex(keys.heldRoot(OWNER, CID, CID)),
    `0b${name('held-root', OWNER, CID)}${name('held-block', OWNER, CID)}`,
  );
  assert.equal(hex(keys.heldOwner(OWNER)), `0c${name('held-owner', OWNER)}`);
  assert.equal(keys.heldFolder(OWNER), name('held-folder', OWNER).slice(0, 32));
  assert.equal(hex(keys.lost(ID)), `0f${name('lost', ID)}`);
  assert.equal(hex(keys.erasure(ID)), `10${name('erasure', ID)}`);
  assert.equal(hex(keys.idempotency('k')), `11${name('idempotency', 'k')}`);
  assert.equal(hex(keys.idempotencyAge(1_800_000_000_000, 'k')), `12000001a3185c5000${name('idempotency', 'k')}`);
});

test('a place in a listing is read back from its key', () => {
  for (const seq of [0, 1, 0xffff_ffff, 2 ** 32, 2 ** 52 + 1]) assert.equal(listingSeq(keys.listing('x', seq)), seq);
});

test('keys stay what they were when others are made', () => {
  const made = Array.from({ length: 600 }, (_, version) => keys.version(ID, version));
  for (const [version, key] of made.entries()) assert.equal(hex(key), hex(keys.version(ID, version)));
});
