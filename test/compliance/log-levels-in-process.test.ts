import { roleLogLevels } from '../../appliance/telemetry/index.ts';
import { logLevelsCompliance } from './log-levels.ts';

logLevelsCompliance('in process', async (levels) => ({
  ...roleLogLevels('store', levels),
  close: async () => undefined,
}));
