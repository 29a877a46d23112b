import { readFamilies } from '../../appliance/telemetry/index.ts';
import { metricsCompliance } from './metrics.ts';

metricsCompliance('in process', async (registry) => ({
  role: 'store',
  read: () => readFamilies(registry),
  close: async () => undefined,
}));
