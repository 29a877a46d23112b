import { createFixture } from '../unit/appliance/store/store-fixture.ts';
import { blocksCompliance } from './blocks.ts';

blocksCompliance('in process', async () => {
  const fixture = await createFixture();
  return { store: fixture.store, owner: fixture.store, close: () => fixture.close() };
});
