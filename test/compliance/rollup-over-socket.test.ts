import { createRollupClient } from '../../appliance/crossing/rollup/client.ts';
import { rollupRoutes } from '../../appliance/crossing/rollup/server.ts';
import { createCrossingHouse } from './crossing-house.ts';
import { rollupCompliance } from './rollup.ts';

rollupCompliance('over its socket', async (double) => {
  const house = await createCrossingHouse('rollup');
  await house.serve(rollupRoutes({ ...double, services: [] }));
  const client = createRollupClient(house.connection);
  return { ...client, l1: async () => (await client.state(5_000)).l1, close: () => house.close() };
});
