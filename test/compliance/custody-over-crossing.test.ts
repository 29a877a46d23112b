import { createCustodyClient } from '../../appliance/crossing/custody/client.ts';
import { custodyRoutes } from '../../appliance/crossing/custody/server.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { custodyCompliance } from './custody.ts';
import { createCustodyFolder } from './custody-folder.ts';

for (const carrier of CARRIERS) {
  custodyCompliance(`over ${carrier}`, async () => {
    const folder = createCustodyFolder();
    const house = await createCrossingHouse('store', carrier);
    const serve = (): Promise<unknown> => house.serve(custodyRoutes(folder.open()));
    await serve();
    return {
      custody: createCustodyClient(house.connection),
      ...folder.limits,
      async restart() {
        await serve();
      },
      async close() {
        await house.close();
        folder.remove();
      },
    };
  });
}
