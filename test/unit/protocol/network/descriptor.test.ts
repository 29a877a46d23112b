import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isNectarError } from '../../../../protocol/errors.ts';
import {
  genesisOf,
  MAX_DESCRIPTOR_BYTES,
  type NetworkDescriptor,
  parseDescriptor,
  signDescriptor,
} from '../../../../protocol/network/descriptor.ts';
import { SAMPLE_DESCRIPTOR } from './sample-descriptor.ts';

const SECRET = new Uint8Array(32).fill(1);
const OTHER_SECRET = new Uint8Array(32).fill(2);
const bytes = signDescriptor(SAMPLE_DESCRIPTOR, SECRET);
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decoded = (): Record<string, unknown> => JSON.parse(new TextDecoder().decode(bytes));

test('a signed descriptor comes back as it was, with its signer', () => {
  const { descriptor, signer } = parseDescriptor(bytes);
  assert.deepEqual(descriptor, SAMPLE_DESCRIPTOR);
  assert.match(signer, /^0x[0-9a-f]{64}$/);
  assert.equal(genesisOf(descriptor).alloc[0]?.balanceWei, 10n ** 18n);
});

test('white space and field order do not matter, every value does', () => {
  const pretty = new TextEncoder().encode(JSON.stringify(decoded(), undefined, 2));
  assert.deepEqual(parseDescriptor(pretty).descriptor, SAMPLE_DESCRIPTOR);
  const reversed = Object.fromEntries(Object.entries(decoded()).reverse());
  assert.deepEqual(parseDescriptor(encode(reversed)).descriptor, SAMPLE_DESCRIPTOR);
});

test('accepts a pinned signer and refuses every other', () => {
  const { signer } = parseDescriptor(bytes);
  assert.equal(parseDescriptor(bytes, { trusted: [signer] }).signer, signer);
  const other = signDescriptor(SAMPLE_DESCRIPTOR, OTHER_SECRET);
  assert.throws(() => parseDescriptor(other, { trusted: [signer] }), isCode('NETWORK_DESCRIPTOR_UNTRUSTED'));
  assert.throws(() => parseDescriptor(bytes, { trusted: [] }), isCode('NETWORK_DESCRIPTOR_UNTRUSTED'));
});

test('refuses another signer put in the place of the real one', () => {
  const stolen = decoded();
  const other = JSON.parse(new TextDecoder().decode(signDescriptor({ ...SAMPLE_DESCRIPTOR, name: 'x' }, OTHER_SECRET)));
  stolen.signature = other.signature;
  assert.throws(() => parseDescriptor(encode(stolen)), isCode('NETWORK_DESCRIPTOR_SIGNATURE_INVALID'));
});

test('refuses an oversized document before reading it', () => {
  assert.throws(() => parseDescriptor(new Uint8Array(MAX_DESCRIPTOR_BYTES + 1)), isCode('NETWORK_DESCRIPTOR_OVERSIZE'));
});

test('refuses a document with any one byte changed', () => {
  for (let index = 0; index < bytes.length - 1; index += 1) {
    const tampered = Uint8Array.from(bytes);
    tampered[index] = (tampered[index] ?? 0) ^ 0x01;
    assert.throws(() => parseDescriptor(tampered), isNetworkError, `byte ${index}`);
  }
});

test('refuses a truncated document at every length', () => {
  for (let length = 0; length < bytes.length - 1; length += 1) {
    assert.throws(() => parseDescriptor(bytes.subarray(0, length)), isNetworkError);
  }
});

test('refuses unknown and missing fields by name', () => {
  assert.throws(() => parseDescriptor(encode({ ...decoded(), extra: 1 })), isCode('NETWORK_DESCRIPTOR_INVALID'));
  for (const name of Object.keys(decoded()).filter((field) => field !== 'devnet')) {
    const without = decoded();
    delete without[name];
    assert.throws(
      () => parseDescriptor(encode(without)),
      (error: unknown) => {
        return isNectarError(error, 'NETWORK_DESCRIPTOR_INVALID') && error.data.at === `$.${name}`;
      },
    );
  }
});

test('takes a development string on a development network alone', () => {
  const srs = { sha256: `0x${'5a'.repeat(32)}`, isDevelopment: true } as const;
  const { devnet, ...real } = SAMPLE_DESCRIPTOR;
  assert.ok(devnet !== undefined);
  assert.deepEqual(parseDescriptor(signDescriptor({ ...SAMPLE_DESCRIPTOR, srs }, SECRET)).descriptor.srs, srs);
  const isInvalid = (error: unknown): boolean => isNectarError(error, 'NETWORK_DESCRIPTOR_INVALID');
  assert.throws(() => signDescriptor({ ...real, srs }, SECRET), isInvalid);
  // A devnet by its own word, whose L1 is everybody's.
  for (const chainId of ['1', '11155111']) {
    const onPublicL1 = { ...SAMPLE_DESCRIPTOR, srs, l1: { ...SAMPLE_DESCRIPTOR.l1, chainId } };
    assert.throws(() => signDescriptor(onPublicL1, SECRET), isInvalid);
  }
  const ceremony = { ...srs, isDevelopment: false };
  assert.deepEqual(parseDescriptor(signDescriptor({ ...real, srs: ceremony }, SECRET)).descriptor.srs, ceremony);
});

test('refuses contradictions and addresses that name no peer', () => {
  const wrong: NetworkDescriptor[] = [
    { ...SAMPLE_DESCRIPTOR, l2: { ...SAMPLE_DESCRIPTOR.l2, chainId: '1' } },
    {
      ...SAMPLE_DESCRIPTOR,
      l2: { ...SAMPLE_DESCRIPTOR.l2, genesis: { ...SAMPLE_DESCRIPTOR.l2.genesis, ejectionQuorum: 3 } },
    },
    { ...SAMPLE_DESCRIPTOR, bootstrap: ['/ip4/127.0.0.1/tcp/4001'] },
    { ...SAMPLE_DESCRIPTOR, bootstrap: ['/ip4/127.0.0.1/tcp/4001/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN'] },
    { ...SAMPLE_DESCRIPTOR, endpoints: { ...SAMPLE_DESCRIPTOR.endpoints, l1Rpc: ['file:///etc/passwd'] } },
  ];
  for (const descriptor of wrong) {
    assert.throws(() => signDescriptor(descriptor, SECRET), isCode('NETWORK_DESCRIPTOR_INVALID'));
  }
});

test('anything else is refused with a network error, never a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (input) =>
      assert.throws(() => parseDescriptor(input), isNetworkError),
    ),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.throws(() => parseDescriptor(encode(value)), isNetworkError)),
  );
  const hostile = new TextEncoder().encode(`{"__proto__":{"version":1},"toString":1}`);
  assert.throws(() => parseDescriptor(hostile), isCode('NETWORK_DESCRIPTOR_INVALID'));
});

function isNetworkError(error: unknown): boolean {
  return isNectarError(error) && error.code.startsWith('NETWORK_DESCRIPTOR_');
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => isNectarError(error) && error.code === code;
}
