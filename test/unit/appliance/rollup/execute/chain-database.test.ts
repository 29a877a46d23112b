import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { createBlockRunner } from '../../../../../appliance/rollup/execute/block-runner.ts';
import { createChainDatabase } from '../../../../../appliance/rollup/execute/chain-database.ts';
import { DATABASE_FORMAT } from '../../../../../appliance/rollup/execute/database-format.ts';
import { FORMAT_KEY } from '../../../../../appliance/rollup/execute/database-keys.ts';
import { createExecutor } from '../../../../../appliance/rollup/execute/executor.ts';
import { loadMachine } from '../../../../../appliance/rollup/execute/machine-file.ts';
import { createPreimageCache } from '../../../../../appliance/rollup/execute/preimage-cache.ts';
import { createSealer } from '../../../../../appliance/rollup/execute/sealer.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { alice, GENESIS, genesisBy, input, MACHINE_RULES, openChain, rules, transfer } from './chain-fixture.ts';

const key = new Uint8Array(32).fill(7);

test('a sealed value opens under its own name only, in this session and a later one', () => {
  const first = createSealer(key, randomBytes);
  const later = createSealer(key, randomBytes);
  const name = Uint8Array.of(1, 2);
  const sealed = first.seal(name, Uint8Array.of(9, 9));
  assert.deepEqual(later.open(name, sealed), Uint8Array.of(9, 9));
  assert.equal(later.open(Uint8Array.of(1, 3), sealed), undefined);
  assert.equal(createSealer(new Uint8Array(32), randomBytes).open(name, sealed), undefined);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(later.open(name, changed), undefined, `byte ${at}`);
    assert.equal(later.open(name, sealed.subarray(0, at)), undefined, `cut at ${at}`);
  }
  assert.notDeepEqual(first.seal(name, Uint8Array.of(9, 9)), first.seal(name, Uint8Array.of(9, 9)));
});

test('the cache stays within its bytes and forgets what was used least recently', () => {
  const cache = createPreimageCache(10);
  cache.set('0x1', new Uint8Array(4));
  cache.set('0x2', new Uint8Array(4));
  cache.get('0x1');
  cache.set('0x3', new Uint8Array(4));
  assert.equal(cache.get('0x2'), undefined);
  assert.ok(cache.get('0x1') && cache.get('0x3'));
  cache.set('0x4', new Uint8Array(11));
  assert.equal(cache.get('0x4'), undefined);
});

test('no byte on disk shows an address or a transaction', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  await chain.executor.build(input(1, [raw]));
  await chain.executor.close();
  const canaries = [Buffer.from(alice.address.slice(2), 'hex'), Buffer.from(raw).subarray(-32), Buffer.from('unsafe')];
  for (const file of await readdir(chain.path)) {
    const bytes = await readFile(join(chain.path, file));
    for (const canary of canaries) assert.equal(bytes.includes(canary), false, file);
  }
  await chain.reopen();
});

test('a value that was changed on disk is refused with its kind', async () => {
  await using chain = await openChain();
  const { hash } = await chain.executor.build(input(1, [await transfer(alice, 0)]));
  await chain.executor.close();
  const level = new ClassicLevel<Uint8Array, Uint8Array>(chain.path, { keyEncoding: 'view', valueEncoding: 'view' });
  for await (const [name, value] of level.iterator()) {
    if (name[0] !== 2) continue;
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
    await level.put(name, value);
  }
  await level.close();
  await chain.reopen();
  await assert.rejects(
    chain.database.block(hash),
    (error) => isNectarError(error, 'ROLLUP_DATABASE_INVALID') && error.data.what === 'block',
  );
});

test('a database of another version is told from a damaged one, and says of which', async () => {
  await using chain = await openChain();
  const rewrite = async (change: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>) => {
    await chain.executor.close();
    const level = new ClassicLevel<Uint8Array, Uint8Array>(chain.path, { keyEncoding: 'view', valueEncoding: 'view' });
    await change(level);
    await level.close();
    return chain.reopen();
  };
  const isFormat = (found: number) => (error: unknown) =>
    isNectarError(error, 'ROLLUP_DATABASE_FORMAT') &&
    error.data.found === found &&
    error.data.expected === DATABASE_FORMAT;
  await assert.rejects(
    rewrite((level) => level.del(FORMAT_KEY)),
    isFormat(0),
  );
  for (const other of [DATABASE_FORMAT - 1, DATABASE_FORMAT + 1])
    await assert.rejects(
      rewrite((level) => level.put(FORMAT_KEY, Buffer.from(String(other)))),
      isFormat(other),
    );
  await assert.rejects(
    rewrite((level) => level.put(FORMAT_KEY, Buffer.from('one'))),
    (error) => isNectarError(error, 'ROLLUP_DATABASE_INVALID'),
  );
  await rewrite((level) => level.put(FORMAT_KEY, Buffer.from(String(DATABASE_FORMAT))));
  assert.equal(chain.executor.heads().unsafe.number, 0n);
});

test('another key opens nothing, another genesis is refused', async () => {
  await using chain = await openChain(key);
  await chain.executor.close();
  const open = async (databaseKey: Uint8Array, timestamp: bigint) => {
    const sealer = createSealer(databaseKey, randomBytes);
    const database = createChainDatabase(
      { path: chain.path, databaseKey, cacheBytes: 0, durable: false },
      { sealer, rules },
    );
    const genesis = genesisBy({ ...GENESIS, timestamp }, rules);
    const runner = createBlockRunner({
      module: loadMachine(),
      machineRules: MACHINE_RULES,
      rules,
      database: { path: chain.path, databaseKey, cacheBytes: 0 },
    });
    const executor = createExecutor({ database, genesis, rules, runner });
    await executor.open();
    await executor.close();
  };
  await assert.rejects(open(key, 5n), (error) => isNectarError(error, 'ROLLUP_DATABASE_GENESIS_MISMATCH'));
  await open(key, GENESIS.timestamp);
  const other = new Uint8Array(32).fill(8);
  await assert.rejects(open(other, GENESIS.timestamp), (error) => isNectarError(error, 'ROLLUP_DATABASE_INVALID'));
  await chain.reopen();
});
