import { createShelfClient } from '../../appliance/crossing/shelf/client.ts';
import { shelfRoutes } from '../../appliance/crossing/shelf/server.ts';
import { createCrossingHouse } from './crossing-house.ts';
import { shelfCompliance } from './shelf.ts';

shelfCompliance('over its socket', async (shelf) => {
  const house = await createCrossingHouse('store');
  await house.serve(shelfRoutes(shelf));
  return { shelf: createShelfClient(house.connection), close: house.close };
});
