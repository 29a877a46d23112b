import { createBlocksClient } from '../../appliance/crossing/blocks/client.ts';
import { blocksRoutes } from '../../appliance/crossing/blocks/server.ts';
import { createWantedBlocks } from '../../appliance/crossing/blocks/wanted-blocks.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { createFixture } from '../unit/appliance/store/store-fixture.ts';
import { blocksCompliance } from './blocks.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';

for (const carrier of CARRIERS) {
  blocksCompliance(`over ${carrier}`, async () => {
    const fixture = await createFixture();
    const house = await createCrossingHouse('blocks', carrier);
    const { store } = fixture;
    await house.serve(blocksRoutes({ store, keys: {} as Keys, wants: createWantedBlocks() }));
    return {
      store: createBlocksClient(house.connection),
      owner: store,
      async close() {
        await house.close();
        await fixture.close();
      },
    };
  });
}
