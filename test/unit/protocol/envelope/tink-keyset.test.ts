import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { tinkKeyset } from '../../../../protocol/envelope/tink-keyset.ts';

test('a keyset is JSON of one primary RAW key, whose value is the DEK in its proto', () => {
  for (let i = 0; i < 50; i++) {
    const dek = randomBytes(32);
    const { primaryKeyId, key } = JSON.parse(Buffer.from(tinkKeyset(dek)).toString());
    assert.equal(key.length, 1);
    const { keyData, ...rest } = key[0];
    assert.deepEqual([primaryKeyId, rest], [1, { status: 'ENABLED', keyId: 1, outputPrefixType: 'RAW' }]);
    assert.equal(keyData.typeUrl, 'type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey');
    assert.equal(keyData.keyMaterialType, 'SYMMETRIC');
    const params = Buffer.from('0880804010201803', 'hex');
    const proto = Buffer.concat([Buffer.from([0x12, params.length]), params, Buffer.from([0x1a, 32]), dek]);
    assert.equal(keyData.value, proto.toString('base64'));
  }
});

test('only a DEK becomes a keyset', () => {
  for (const length of [0, 16, 31, 33]) assert.throws(() => tinkKeyset(new Uint8Array(length)), RangeError);
});
