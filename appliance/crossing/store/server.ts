import type { BackupKeys, Keys } from '../../keys/index.ts';
import type { Service } from '../../service.ts';
import type { Store } from '../../store/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { describeServices, known } from '../state.ts';
import { store as storeContract, uploads as uploadsContract } from './contract.ts';
import { backupKeyRoutes, keyRoutes } from './key-routes.ts';

export interface StoreCrossingParts {
  readonly store: Store;
  readonly keys: Keys;
  /** Ed25519 by the node's token key, which never leaves this role. */
  readonly tokenSigner: { sign(input: Uint8Array): Promise<Uint8Array> };
  readonly backups: BackupKeys;
  /** What this role consists of, for its state. */
  readonly services: readonly Service[];
}

/** What the gateway may ask of the store and of the keys. */
export function storeRoutes({ store, keys, tokenSigner, backups, services }: StoreCrossingParts): Route[] {
  return [
    ...routesOf(storeContract, {
      state: () => ({
        services: describeServices(services),
        locked: keys.state() === 'locked',
        records: known(() => store.stats().records),
        anchored: known(() => store.stats().anchored),
        condition: known(() => store.condition()),
      }),
      put: (input, body, context, gone) => store.put(input, body, context, gone),
      open: (id, options, context, gone) => store.open(id, options, context, gone),
      head: (id, options, context) => store.head(id, options, context),
      present: (ids, context) => store.present(ids, context),
      list: (query, context) => store.list(query, context),
      shred: (id, context, expected) => store.shred(id, context, expected),
      rewrap: (onProgress, context) => store.rewrap(onProgress, context),
      rekey: (plan, context) => store.rekey(plan, context),
      pauseRekey: (context) => store.pauseRekey(context),
      keepReplaced: (milliseconds) => store.keepReplaced(milliseconds),
      changeOffer: (bytes, context) => store.changeOffer(bytes, context),
      exportCar: (id, options, context) => store.exportCar(id, options, context),
      exportTink: (id, options, context, gone) => store.exportTink(id, options, context, gone),
      adopt: (entries, context, gone) => store.adopt(entries, context, gone),
      fsck: (options, onProgress, gone) => store.fsck(options, onProgress, gone),
      shardsOf: (id) => store.shardsOf(id),
      drill: (of, gone) => store.drill(of, gone),
      repairShards: (options) => store.repairShards(options),
      scrub: (onProgress, gone) => store.scrub(onProgress, gone),
    }),
    ...routesOf(uploadsContract, {
      begin: (plan, context) => store.uploads.begin(plan, context),
      append: (id, offset, body, context, gone) => store.uploads.append(id, { offset, body }, context, gone),
      state: (id, context) => store.uploads.state(id, context),
      discard: (id, context) => store.uploads.discard(id, context),
    }),
    ...keyRoutes(keys, tokenSigner),
    ...backupKeyRoutes(backups),
  ];
}
