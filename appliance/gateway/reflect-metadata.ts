/**
 * @peculiar/x509 builds its registry with tsyringe, which refuses to load without a metadata polyfill. It uses three
 * functions of that proposal, on class constructors only; these are they. Import this file before @peculiar/x509.
 */
type Key = string | symbol;

interface MetadataReflect {
  getMetadata?: (key: Key, target: object) => unknown;
  getOwnMetadata?: (key: Key, target: object) => unknown;
  defineMetadata?: (key: Key, value: unknown, target: object) => void;
}

const store = new WeakMap<object, Map<Key, unknown>>();
const reflect = Reflect as MetadataReflect;

if (reflect.getMetadata === undefined) {
  reflect.defineMetadata = (key, value, target) => {
    const entries = store.get(target) ?? new Map<Key, unknown>();
    store.set(target, entries.set(key, value));
  };
  reflect.getOwnMetadata = (key, target) => store.get(target)?.get(key);
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      if (store.get(at)?.has(key) === true) return store.get(at)?.get(key);
    }
    return undefined;
  };
}
