import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Audit } from '../../../../appliance/audit/index.ts';
import type { auditAppend } from '../../../../appliance/crossing/audit-append/contract.ts';
import type { auditKeys } from '../../../../appliance/crossing/audit-keys/contract.ts';
import type { auditRead } from '../../../../appliance/crossing/audit-read/contract.ts';
import type { blocks } from '../../../../appliance/crossing/blocks/contract.ts';
import type { ClientOf, Contract } from '../../../../appliance/crossing/contract.ts';
import type { custody } from '../../../../appliance/crossing/custody/contract.ts';
import type { rollup } from '../../../../appliance/crossing/rollup/contract.ts';
import type { shelf } from '../../../../appliance/crossing/shelf/contract.ts';
import type { store } from '../../../../appliance/crossing/store/contract.ts';
import type { backupKeys, keys } from '../../../../appliance/crossing/store/key-contract.ts';
import type { Custody } from '../../../../appliance/custody/index.ts';
import type { BackupKeys, Keys } from '../../../../appliance/keys/index.ts';
import type { Membership } from '../../../../appliance/membership/index.ts';
import type { Shelf } from '../../../../appliance/shelf/index.ts';
import type { Store, StoreEvidence } from '../../../../appliance/store/index.ts';

/**
 * What a service says and what its contract says are the same, optional fields included: assignability alone lets a contract lack one,
 * and then the first message that has it is refused. Checked by the compiler.
 */
type Atom = string | number | bigint | boolean | null | undefined | Uint8Array | AbortSignal;
type Complete<T> = T extends Atom
  ? T
  : T extends (...args: infer A) => infer R
    ? { readonly takes: Complete<Required<A>>; readonly gives: Complete<Awaited<R>> }
    : T extends readonly [infer Head, ...infer Rest]
      ? readonly [Complete<Head>, ...(Complete<Rest> extends readonly unknown[] ? Complete<Rest> : [])]
      : T extends readonly []
        ? readonly []
        : T extends readonly (infer E)[]
          ? readonly Complete<E>[]
          : T extends AsyncIterable<infer E>
            ? { readonly each: Complete<E> }
            : { readonly [K in keyof T]-?: Complete<Exclude<T[K], undefined>> };
type Same<A, B> = [Complete<A>] extends [Complete<B>] ? ([Complete<B>] extends [Complete<A>] ? true : false) : false;

type Calls<T> = T extends Contract<infer C> ? ClientOf<C> : never;
/** The names of calls that are not what the service's method of that name is. */
type Differing<T, S> = {
  [K in keyof Calls<T> & keyof S]: Same<Calls<T>[K], S[K]> extends true ? never : K;
}[keyof Calls<T> & keyof S];

/** Calls of the keys that carry a secret as bytes of its own, or answer at once in the process. */
type OwnShape = 'unlock' | 'enroll' | 'change' | 'replaceRoot' | 'state' | 'list' | 'providers' | 'purposes';

const none = <_ extends never>(): void => undefined;

test('contracts and services agree, optional fields included', () => {
  none<Differing<typeof store, Store>>();
  none<Differing<typeof keys, Omit<Keys, OwnShape>>>();
  none<Differing<typeof backupKeys, BackupKeys>>();
  none<Differing<typeof auditAppend, Audit>>();
  none<Differing<typeof auditRead, Omit<Audit, 'verify'>>>();
  none<Differing<typeof auditKeys, StoreEvidence>>();
  none<Differing<typeof blocks, Store>>();
  none<Differing<typeof custody, Custody>>();
  none<Differing<typeof rollup, Membership>>();
  none<Differing<typeof shelf, Shelf>>();
  assert.ok(true, 'the compiler has looked');
});
