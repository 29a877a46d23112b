import { createLeveledLogger, createNodeLogLevels, roleLogLevels } from '../../../../appliance/telemetry/index.ts';

/** Of a node that writes nothing. */
export const logLevelsDouble = () =>
  createNodeLogLevels([
    roleLogLevels('all', createLeveledLogger({ level: 'silent' }, { write: () => undefined }).levels),
  ]);
