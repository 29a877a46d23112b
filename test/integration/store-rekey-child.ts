/** Run by store-rekey-crash.test.ts: a rekey that is killed at a leaf of the log, before it is written or when it is durable. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { replaceFile } from '../../appliance/durable-file.ts';
import { nodeEnvelopeCrypto as crypto } from '../../appliance/keys/index.ts';
import type { Store, StoreDeps } from '../../appliance/store/index.ts';
import { unwrapDek, wrapDek } from '../../protocol/envelope/wrapped-dek.ts';
import { type ChildParts, context, openChildStore } from './store-child.ts';

interface Keks {
  readonly current: number;
  readonly ended: readonly string[];
}

/** Key encryption keys by number, which of them is current, and which are destroyed: in a file of the home. */
export function fileKeys(home: string): { keys: StoreDeps['keys']; rotate(): Promise<string>; keks(): Keks } {
  const [rootPath, path] = [join(home, 'test.key'), join(home, 'test-keks.json')];
  if (!existsSync(rootPath)) writeFileSync(rootPath, randomBytes(32), { mode: 0o600 });
  const root = readFileSync(rootPath);
  const keks = (): Keks =>
    existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Keks) : { current: 1, ended: [] };
  const keep = (to: Keks): Promise<void> => replaceFile(path, JSON.stringify(to), 0o600);
  const kek = (id: string) => ({ id, key: crypto.hkdf(root, new Uint8Array(0), Buffer.from(id), 32) });
  const currentId = (): string => `kek/${keks().current}`;
  const wrap = (dek: Uint8Array, of: Parameters<StoreDeps['keys']['newDek']>[0]) =>
    wrapDek(crypto, kek(currentId()), { dek, context: of, nonce: randomBytes(12) });
  const keys: StoreDeps['keys'] = {
    derive: (purpose) => crypto.hkdf(root, new Uint8Array(0), Buffer.from(purpose), 32),
    pending: () => undefined,
    newDek(of) {
      const dek = randomBytes(32);
      return { wrapped: wrap(dek, of), dek };
    },
    unwrapDek(wrapped, of) {
      const ended = keks().ended.includes(wrapped.kekId);
      const dek = ended ? undefined : unwrapDek(crypto, kek(wrapped.kekId), { wrapped, context: of });
      if (dek === undefined) throw new Error(`${wrapped.kekId} does not open it`);
      return dek;
    },
    rewrapDek: (wrapped, of) => (wrapped.kekId === currentId() ? wrapped : wrap(keys.unwrapDek(wrapped, of), of)),
    async retire(olderThan) {
      const { current, ended } = keks();
      const older = Array.from({ length: Number(olderThan.slice(4)) - 1 }, (_, i) => `kek/${i + 1}`);
      const destroyed = older.filter((id) => !ended.includes(id));
      await keep({ current, ended: [...ended, ...destroyed] });
      return { destroyed, generation: current };
    },
  };
  return {
    keys,
    keks,
    async rotate() {
      const { current, ended } = keks();
      await keep({ current: current + 1, ended });
      return currentId();
    },
  };
}

/** Begins a rekey of the home's records, or finds the one that goes on, and waits for its end. */
export async function rekeyAll(home: string, parts: Omit<ChildParts, 'keys'> = {}): Promise<Store> {
  const { keys, rotate } = fileKeys(home);
  const store = await openChildStore(home, 0, { ...parts, keys });
  if (store.condition().rekey === undefined) await store.rekey({ target: await rotate(), load: 100 }, context);
  while (store.condition().rekey?.state === 'running') await delay(5);
  return store;
}

if (import.meta.main) {
  const [home = '', leaf = '0', when = 'before'] = process.argv.slice(2);
  let left = Number(leaf);
  const store = await rekeyAll(home, {
    onLeaf({ type }, at) {
      if ((type !== 'key.rekey' && type !== 'record.rekey') || at !== when || left-- > 0) return;
      process.kill(process.pid, 'SIGKILL');
    },
  });
  await store.stop();
}
