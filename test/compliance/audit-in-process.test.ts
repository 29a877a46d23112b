import { auditCompliance } from './audit.ts';
import { createStandingLog } from './standing-log.ts';

auditCompliance('in process', async () => {
  const standing = await createStandingLog();
  return {
    get audit() {
      return standing.audit;
    },
    vkey: standing.audit.vkey(),
    restart: () => standing.restart(),
    stop: () => standing.audit.stop(),
    close: () => standing.close(),
  };
});
