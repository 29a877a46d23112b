import { createFixture } from '../unit/appliance/store/store-fixture.ts';
import { storeCompliance } from './store.ts';

storeCompliance('in process', async () => {
  const fixture = await createFixture();
  return {
    get store() {
      return fixture.store;
    },
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
    restart: () => fixture.restart(),
    close: () => fixture.close(),
  };
});
