import { createRollupClient } from '../../appliance/crossing/rollup/client.ts';
import { rollupRoutes } from '../../appliance/crossing/rollup/server.ts';
import { createCrossingHouse } from './crossing-house.ts';
import { rollupCompliance } from './rollup.ts';

rollupCompliance('over its socket', async (double) => {
  const house = await createCrossingHouse('rollup');
  await house.serve(rollupRoutes({ ...double, services: [] }));
  return { ...createRollupClient(house.connection), close: () => house.close() };
});
