import { createRollupClient } from '../../appliance/crossing/rollup/client.ts';
import { rollupRoutes } from '../../appliance/crossing/rollup/server.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { rollupCompliance } from './rollup.ts';

for (const carrier of CARRIERS) {
  rollupCompliance(`over ${carrier}`, async (double) => {
    const house = await createCrossingHouse('rollup', carrier);
    await house.serve(rollupRoutes({ ...double, services: [] }));
    const client = createRollupClient(house.connection);
    return { ...client, l1: async () => (await client.state(5_000)).l1, close: () => house.close() };
  });
}
