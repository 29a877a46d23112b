import { custodyCompliance } from './custody.ts';
import { createCustodyFolder } from './custody-folder.ts';

custodyCompliance('in process', async () => {
  const folder = createCustodyFolder();
  let custody = folder.open();
  return {
    get custody() {
      return custody;
    },
    ...folder.limits,
    async restart() {
      custody = folder.open();
    },
    async close() {
      folder.remove();
    },
  };
});
