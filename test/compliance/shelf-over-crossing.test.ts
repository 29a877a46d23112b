import { createShelfClient } from '../../appliance/crossing/shelf/client.ts';
import { shelfRoutes } from '../../appliance/crossing/shelf/server.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { shelfCompliance } from './shelf.ts';

for (const carrier of CARRIERS) {
  shelfCompliance(`over ${carrier}`, async (shelf) => {
    const house = await createCrossingHouse('store', carrier);
    await house.serve(shelfRoutes(shelf));
    return { shelf: createShelfClient(house.connection), close: house.close };
  });
}
