import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before as beforeAll, test } from 'node:test';
import {
  byKeyFile,
  createKeyFreshness,
  createKeys,
  createRootKey,
  nodeEnvelopeCrypto as crypto,
  type KeyEvidence,
  type Keys,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';

const log = createLogger({ level: 'silent' });
const signal = new AbortController().signal;
const random = (n: number): Uint8Array => new Uint8Array(randomBytes(n));
const deps = { crypto, log, now: () => new Date(Date.UTC(2026, 0, 1)), randomBytes: random };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-index-key-'));
});
const opened: Keys[] = [];
after(async () => {
  for (const keys of opened) await keys.stop();
  await rm(folder, { recursive: true, force: true });
});

type Leaf = Parameters<KeyEvidence['append']>[0];

/** The audit log, as far as it states generations; `onAppend` stands before and behind each leaf. */
class LogDouble implements KeyEvidence {
  readonly leaves: Leaf[];
  readonly #onAppend: () => void;
  constructor(leaves: readonly Leaf[] = [], onAppend: () => void = () => undefined) {
    this.leaves = [...leaves];
    this.#onAppend = onAppend;
  }
  async latest() {
    return this.leaves.length === 0
      ? {}
      : { keys: Math.max(...this.leaves.map(({ detail }) => Number(detail.generation))) };
  }
  async append(leaf: Leaf) {
    this.#onAppend();
    const index = this.leaves.push(leaf) - 1;
    this.#onAppend();
    return { index };
  }
  /** What the gateway does of a new root key. */
  async state(generation: number): Promise<void> {
    const context = { actor: { subject: 'a' }, requestId: 'b' };
    await this.append({ type: 'key.root', outcome: 'success', context, detail: { file: 'keys', generation } });
  }
  phases(): unknown[] {
    return this.leaves.flatMap(({ type, detail }) => (type === 'key.root' ? [detail.phase ?? 'made'] : []));
  }
}

/** A home with keys and one identity, and nodes that start on it. */
async function made() {
  const home = await mkdtemp(join(folder, 'home-'));
  const keyFile = join(await mkdtemp(join(folder, 'secrets-')), 'node.key');
  const all = new LogDouble();
  const start = async ({ at = home, evidence = all } = {}) => {
    const options = { home: at, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 };
    const keys = createKeys(options, { ...deps, metrics: createMetrics() });
    await keys.start(signal);
    opened.push(keys);
    const freshness = createKeyFreshness({ keys, evidence, log });
    await freshness.start(signal);
    await freshness.stop();
    return { keys, freshness };
  };
  await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
  const { keys } = await start();
  await keys.sealIdentity('checkpoint', Buffer.from('the checkpoint'));
  return { home, evidence: all, start };
}

test('the index has a key to come, which the old root key and the old lists know nothing of, until it is sealed by it', async () => {
  const { evidence, start } = await made();
  const { keys, freshness } = await start();
  const states = (of: Keys) => of.purposes().map(({ purpose, state }) => `${purpose} ${state}`);
  assert.deepEqual(
    states(keys),
    ['index', 'audit-body', 'identity', 'rollup-db', 'backup'].map((purpose) => `${purpose} first`),
  );
  const [first, none] = [keys.derive('index'), keys.pending('index')];
  assert.equal(none, undefined);
  await evidence.state((await keys.replaceRoot({ without: [] })).generation);
  const kept = ['audit-body added', 'rollup-db kept', 'backup kept'];
  assert.deepEqual(states(keys).toSorted(), [...kept, 'identity pending', 'index pending'].toSorted());
  await freshness.look();
  const next = keys.pending('index') ?? assert.fail();
  assert.deepEqual(keys.derive('index'), first, 'it is not in use yet');
  assert.equal(Buffer.from(next).includes(Buffer.from(first)), false);
  const { keys: again, freshness: late } = await start();
  assert.deepEqual([again.derive('index'), again.pending('index')], [first, next]);
  await late.settleIndex();
  assert.deepEqual(evidence.phases(), ['made', 'identities', 'done', 'index', 'index done']);
  const { keys: third } = await start();
  for (const list of [again, third]) {
    assert.deepEqual(
      [list.derive('index'), list.pending('index'), list.readiness()],
      [next, undefined, { ready: true }],
    );
    assert.deepEqual(states(list).toSorted(), [...kept, 'identity replaced', 'index replaced'].toSorted());
  }
});

test('a process that ends while the list takes over the key of the index leaves one that opens by either', async () => {
  const { home, evidence, start } = await made();
  const { keys: before, freshness: settled } = await start();
  await evidence.state((await before.replaceRoot({ without: [] })).generation);
  await settled.look();
  const [old, next] = [before.derive('index'), before.pending('index') ?? assert.fail()];
  const ends: { at: string; leaves: Leaf[] }[] = [];
  let current: LogDouble | undefined;
  const end = (): void => {
    const at = join(folder, `end-${ends.length}`);
    cpSync(home, at, { recursive: true });
    ends.push({ at, leaves: [...(current?.leaves ?? [])] });
  };
  current = new LogDouble(evidence.leaves, end);
  const { freshness } = await start({ evidence: current });
  await freshness.settleIndex();
  const seen = new Set<string>();
  for (const { at, leaves } of ends) {
    const { keys } = await start({ at, evidence: new LogDouble(leaves) });
    assert.deepEqual(keys.readiness(), { ready: true }, at);
    const isSettled = keys.pending('index') === undefined;
    assert.deepEqual(keys.derive('index'), isSettled ? next : old, at);
    if (!isSettled) assert.deepEqual(keys.pending('index'), next, at);
    seen.add(`${isSettled}`);
  }
  assert.deepEqual([...seen].toSorted(), ['false', 'true']);
});
