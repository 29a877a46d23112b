import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dialableAddresses, isPrivateAddress, MAX_ADDRESSES } from '../../../../appliance/p2p/peer-address.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';

const peerId = peerIdOf(new Uint8Array(32).fill(1));
const other = peerIdOf(new Uint8Array(32).fill(2));
const dialable = (address: string, allowPrivate = false): string[] =>
  dialableAddresses(peerId, [address], allowPrivate).map(String);

test('a public address is dialled as the member that registered it, whoever else it names is not', () => {
  assert.deepEqual(dialable('/ip4/8.8.8.8/tcp/4640'), [`/ip4/8.8.8.8/tcp/4640/p2p/${peerId}`]);
  assert.deepEqual(dialable(`/dns4/node.example.org/tcp/1/p2p/${peerId}`), [
    `/dns4/node.example.org/tcp/1/p2p/${peerId}`,
  ]);
  assert.deepEqual(dialable(`/ip4/8.8.8.8/tcp/4640/p2p/${other}`), []);
});

test('an address of our own network is left out unless it is allowed', () => {
  const hosts = [
    'ip4/127.0.0.1',
    'ip4/10.1.2.3',
    'ip4/192.168.1.1',
    'ip4/169.254.169.254',
    'ip4/100.64.0.1',
    'ip4/0.0.0.0',
    'ip4/224.0.0.1',
  ];
  hosts.push(
    'ip6/::1',
    'ip6/fe80::1',
    'ip6/fd00::1',
    'ip6/::ffff:127.0.0.1',
    'ip6/::ffff:10.0.0.1',
    'dns/localhost',
    'dns/printer',
    'dns4/a.localhost',
  );
  for (const host of hosts) {
    assert.deepEqual(dialable(`/${host}/tcp/80`), [], host);
    assert.ok(isPrivateAddress(`/${host}/tcp/80`), host);
  }
  assert.equal(dialable('/ip4/127.0.0.1/tcp/80', true).length, 1);
  assert.equal(isPrivateAddress('/ip4/8.8.8.8/tcp/80'), false);
  assert.ok(isPrivateAddress('/unix/socket'));
});

test('everything that is no TCP address is left out, and only so many are read', () => {
  for (const address of [
    '',
    '/ip4/8.8.8.8',
    '/ip4/8.8.8.8/udp/1',
    '/ip4/999.1.1.1/tcp/1',
    '/ip4/8.8.8.8/tcp/99999',
    '/ip4/8.8.8.8/tcp/1/ws',
    'x'.repeat(1e6),
  ]) {
    assert.deepEqual(dialable(address, true), [], address.slice(0, 40));
  }
  assert.equal(dialableAddresses(peerId, Array(100).fill('/ip4/8.8.8.8/tcp/1'), false).length, MAX_ADDRESSES);
  fc.assert(fc.property(fc.string({ maxLength: 150 }), (text) => assert.deepEqual(dialable(text, true), [])));
});
