import { createLogLevelsClient } from '../../appliance/crossing/log-levels/client.ts';
import { logLevelsRoutes } from '../../appliance/crossing/log-levels/server.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { logLevelsCompliance } from './log-levels.ts';

for (const carrier of CARRIERS) {
  logLevelsCompliance(`over ${carrier}`, async (levels) => {
    const house = await createCrossingHouse('store', carrier);
    await house.serve(logLevelsRoutes(levels));
    return { ...createLogLevelsClient('store', house.connection), close: () => house.close() };
  });
}
