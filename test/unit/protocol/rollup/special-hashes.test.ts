import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { createAddressFromString, KECCAK256_RLP_S, MapDB, setLengthLeft, ValueEncoding } from '@ethereumjs/util';
import { getCreateAddress } from 'ethers';
import type { Hex } from '../../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import { createMemoryState, type MemoryState } from '../../../oracle/state-by-hash.ts';
import { openStateTrie } from '../../../oracle/state-trie.ts';
import { transition } from '../../../oracle/transition.ts';
import { addressOf, alice, input, rules, testGenesis, transfer } from '../../appliance/rollup/execute/chain-fixture.ts';

const genesis = await testGenesis();
const over = (state: MemoryState): MemoryState => createMemoryState(state);
const byte = (value: number): string => value.toString(16).padStart(2, '0');
const word = (value: number): string => value.toString(16).padStart(4, '0');
const createdAt = (nonce: number): Hex => getCreateAddress({ from: addressOf(alice), nonce }).toLowerCase() as Hex;

/** Creation code that writes 1 to the slots 0 to `slots` - 1 and leaves `code` as the contract's. */
function creationOf(code: string, slots = 0): string {
  const stores = Array.from({ length: slots }, (_, slot) => `600160${byte(slot)}55`).join('');
  const length = code.length / 2;
  const prefix = (at: number): string => `61${word(length)}61${word(at)}60003961${word(length)}6000f3`;
  const at = stores.length / 2 + prefix(0).length / 2;
  return `0x${stores}${prefix(at)}${code}`;
}

/** The root node of a storage trie with 1 in the slots 0 to `slots` - 1. */
async function storageRootNode(slots: number): Promise<string> {
  const db = new MapDB<string, Uint8Array>();
  const trie = new MerklePatriciaTrie({ db, useKeyHashing: true, valueEncoding: ValueEncoding.Bytes, common: rules });
  for (let slot = 0; slot < slots; slot += 1) await trie.put(setLengthLeft(Uint8Array.of(slot), 32), Uint8Array.of(1));
  const node = await db.get(bytesToHex(trie.root()).slice(2));
  return Buffer.from(node as Uint8Array).toString('hex');
}

async function deploy(creation: string) {
  const state = createMemoryState({ get: async (hash) => genesis.preimages.get(hash) });
  const create = await transfer(alice, 0, { to: null, value: 0n, data: creation });
  const result = await transition(genesis.header, input(1, [create]), { state, rules });
  assert.equal(result.receipts[0]?.status, 1);
  return { state, header: result.header };
}

test('code whose hash is that of the empty trie is stored, called, and read', async () => {
  const { state, header } = await deploy(creationOf('80'));
  const call = await transfer(alice, 1, { to: createdAt(0), value: 0n, data: '0x01' });
  const next = await transition(header, input(2, [call]), { state: over(state), rules });
  // DUP1 on an empty stack: the call fails, the block does not.
  assert.deepEqual(
    next.receipts.map(({ status }) => status),
    [0],
  );
  const { manager } = openStateTrie(over(state), header.stateRoot, rules);
  const account = await manager.getAccount(createAddressFromString(createdAt(0)));
  assert.equal(bytesToHex(account?.codeHash ?? new Uint8Array()), KECCAK256_RLP_S);
  assert.equal(bytesToHex(await manager.getCode(createAddressFromString(createdAt(0)))), '0x80');
});

test("code that is the root node of its own contract's storage does not stand for that storage", async () => {
  const slots = 20;
  const node = await storageRootNode(slots);
  const { state, header } = await deploy(creationOf(node, slots));
  const { manager } = openStateTrie(over(state), header.stateRoot, rules);
  const at = createAddressFromString(createdAt(0));
  assert.equal(Buffer.from(await manager.getCode(at)).toString('hex'), node);
  const account = await manager.getAccount(at);
  assert.deepEqual(account?.storageRoot, account?.codeHash);
  for (let slot = 0; slot < slots; slot += 1) {
    const value = await manager.getStorage(at, hexToBytes(`0x${word(slot).padStart(64, '0')}`));
    assert.deepEqual([...value], [1]);
  }
});

test('code that is a node read before in its block keeps the new storage that the node leads to', async () => {
  const slots = 20;
  const node = await storageRootNode(slots);
  // The code is there first; then a contract with exactly that storage is made, after the code was read.
  const first = await deploy(creationOf(node));
  const read = await transfer(alice, 1, { to: createdAt(0), value: 0n, data: '0x01' });
  const store = await transfer(alice, 2, { to: null, value: 0n, data: creationOf('00', slots) });
  const state = over(first.state);
  const { header, receipts } = await transition(first.header, input(2, [read, store]), { state, rules });
  assert.equal(receipts.length, 2);
  const { manager } = openStateTrie(over(state), header.stateRoot, rules);
  for (let slot = 0; slot < slots; slot += 1) {
    const key = hexToBytes(`0x${word(slot).padStart(64, '0')}`);
    assert.deepEqual([...(await manager.getStorage(createAddressFromString(createdAt(2)), key))], [1]);
  }
});
