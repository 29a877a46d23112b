import { createBlocksClient } from '../../appliance/crossing/blocks/client.ts';
import { blocksRoutes } from '../../appliance/crossing/blocks/server.ts';
import { createWantedBlocks } from '../../appliance/crossing/blocks/wanted-blocks.ts';
import { createStoreClient } from '../../appliance/crossing/store/client.ts';
import { storeRoutes } from '../../appliance/crossing/store/server.ts';
import type { BackupKeys, Keys } from '../../appliance/keys/index.ts';
import { createFixture } from '../unit/appliance/store/store-fixture.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { storeCompliance } from './store.ts';

/** The store suite calls no key. */
const noKeys = {} as Keys;
const backups = {} as BackupKeys;

for (const carrier of CARRIERS) {
  storeCompliance(`over ${carrier}`, async () => {
    const fixture = await createFixture();
    const atStore = await createCrossingHouse('store', carrier);
    const atBlocks = await createCrossingHouse('blocks', carrier);
    const serve = async (): Promise<void> => {
      const { store } = fixture;
      const tokenSigner = { sign: async (bytes: Uint8Array) => bytes };
      await atStore.serve(storeRoutes({ store, keys: noKeys, tokenSigner, backups, services: [store] }));
      await atBlocks.serve(blocksRoutes({ store, keys: noKeys, wants: createWantedBlocks() }));
    };
    await serve();
    return {
      store: { ...createStoreClient(atStore.connection), blocks: createBlocksClient(atBlocks.connection).blocks },
      stats: () => fixture.store.stats(),
      condition: () => fixture.store.condition(),
      events: fixture.audit.events,
      rotateKeys() {
        fixture.keys.rotate();
        return fixture.keys.current();
      },
      failAudit(type) {
        fixture.audit.failNext = type;
      },
      async restart() {
        await fixture.restart();
        await serve();
      },
      async close() {
        await atStore.close();
        await atBlocks.close();
        await fixture.close();
      },
    };
  });
}
