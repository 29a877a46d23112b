import type { BackupKeys, Keys } from '../../keys/index.ts';
import type { Service } from '../../service.ts';
import type { Store } from '../../store/index.ts';
import { createProgress } from '../progress.ts';
import { downloadRoute, feedRoute, type Route, unaryRoute, uploadRoute } from '../route.ts';
import { describeServices, known } from '../state.ts';
import { exportCar, fsck, head, listRecords, open, put, rewrap, scrub, shred, state } from './contract.ts';
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
    unaryRoute(state, () => ({
      services: describeServices(services),
      locked: keys.state() === 'locked',
      records: known(() => store.stats().records),
      condition: known(() => store.condition()),
    })),
    uploadRoute(put, ({ input, context }, body, gone) => store.put(input, body, context, gone), { freesPieces: true }),
    downloadRoute(
      open,
      async ({ id, options, context }, gone) => {
        const { body, ...opened } = await store.open(id, options, context, gone);
        return { head: opened, body };
      },
      { freesPieces: true },
    ),
    unaryRoute(head, ({ id, options, context }) => store.head(id, options, context)),
    unaryRoute(listRecords, ({ query, context }) => store.list(query, context)),
    unaryRoute(shred, ({ id, context, expected }) => store.shred(id, context, expected)),
    feedRoute(rewrap, async ({ context }, send) => {
      const progress = createProgress(send);
      const result = await store.rewrap(progress.tell, context);
      await progress.settled();
      return result;
    }),
    downloadRoute(exportCar, async ({ id, options, context }) => ({
      head: null,
      body: await begun(store.exportCar(id, options, context)),
    })),
    feedRoute(fsck, async (options, send, gone) => {
      const progress = createProgress(send);
      const report = await store.fsck(options, progress.tell, gone);
      await progress.settled();
      return report;
    }),
    feedRoute(scrub, async (_, send, gone) => {
      const progress = createProgress(send);
      const report = await store.scrub(progress.tell, gone);
      await progress.settled();
      return report;
    }),
    ...keyRoutes(keys, tokenSigner),
    ...backupKeyRoutes(backups),
  ];
}

/** A body whose first piece is there: what goes wrong before it is an answer of its own, not a broken stream. */
async function begun(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await pieces.next()) yield next.value;
    } finally {
      await pieces.return?.();
    }
  })();
}
