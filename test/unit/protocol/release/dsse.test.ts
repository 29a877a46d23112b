import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { envelopeKeyOf } from '../../../../cli/release/release-keys.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import {
  encodeEnvelope,
  IN_TOTO_PAYLOAD,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  preAuthEncoding,
  verifyEnvelope,
} from '../../../../protocol/release/dsse.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = envelopeKeyOf(publicKey.export({ type: 'spki', format: 'pem' }).toString());
const other = envelopeKeyOf(
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
);
const payload = Buffer.from('{"a":1}');
const sig = sign(null, preAuthEncoding(IN_TOTO_PAYLOAD, payload), privateKey);
const text = encodeEnvelope({ payloadType: IN_TOTO_PAYLOAD, payload, signatures: [{ keyid: key.keyid, sig }] });
const open = (envelope: string, keys = [key]) => Buffer.from(verifyEnvelope(parseEnvelope(envelope, 'r'), keys, 'r'));

test("encodes the protocol's own example, and another one in bytes, not letters", () => {
  const pae = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
  assert.equal(Buffer.from(pae).toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  assert.equal(Buffer.from(preAuthEncoding('ä', new Uint8Array())).toString(), 'DSSEv1 2 ä 0 ');
});

test('returns the payload that a known key signed, and says of whose key it knows nothing', () => {
  assert.deepEqual(open(text, [other, key]), payload);
  assert.throws(
    () => open(text, [other]),
    (error) => isNectarError(error, 'RELEASE_KEY_UNKNOWN') && error.data.key === key.keyid.slice(0, 16),
  );
  assert.throws(
    () => open(text, []),
    (error) => isNectarError(error, 'RELEASE_KEY_UNKNOWN'),
  );
});

test('refuses any changed byte of the envelope, or one that gives another payload never', () => {
  for (let at = 0; at < text.length; at += 1) {
    const changed = Buffer.from(text);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    let opened: Buffer | undefined;
    try {
      opened = open(changed.toString('latin1'));
    } catch (error) {
      assert.ok(
        isNectarError(error, 'RELEASE_SIGNATURE_INVALID') || isNectarError(error, 'RELEASE_KEY_UNKNOWN'),
        `byte ${at}`,
      );
    }
    // The key's name is a hint, and JSON may have other spaces: what is taken is what was signed.
    if (opened !== undefined) assert.deepEqual(opened, payload, `byte ${at}`);
  }
});

test('refuses an envelope cut off anywhere, too long, of another type, or without a signature', () => {
  const refused = (envelope: string, what: string): void =>
    assert.throws(
      () => open(envelope),
      (error) => isNectarError(error, 'RELEASE_SIGNATURE_INVALID'),
      what,
    );
  for (let length = 0; length < text.length - 2; length += 1) refused(text.slice(0, length), `length ${length}`);
  refused(text + ' '.repeat(MAX_ENVELOPE_BYTES), 'long');
  const value = JSON.parse(text) as { signatures: { keyid: string; sig: string }[] };
  refused(JSON.stringify({ ...value, payloadType: 'text/plain' }), 'type');
  refused(JSON.stringify({ ...value, signatures: [] }), 'none');
  refused(JSON.stringify({ ...value, signatures: Array(9).fill(value.signatures[0]) }), 'many');
  refused(JSON.stringify({ ...value, signatures: [null] }), 'null');
  refused('null', 'null envelope');
});

test('refuses a signature of the payload alone, which another protocol could have asked for', () => {
  const bare = sign(null, payload, privateKey);
  const envelope = encodeEnvelope({
    payloadType: IN_TOTO_PAYLOAD,
    payload,
    signatures: [{ keyid: key.keyid, sig: bare }],
  });
  assert.throws(
    () => open(envelope),
    (error) => isNectarError(error, 'RELEASE_SIGNATURE_INVALID'),
  );
});
