import Type from 'typebox';
import { MAX_LEVEL_SECONDS, RUNTIME_LEVELS } from '../../telemetry/index.ts';
import { call, contract } from '../contract.ts';
import { exact, list, oneOf, optional, text } from '../shape.ts';

/** The status of a node waits no longer for a role than that. */
const TIMEOUT_MS = 2_000;
const name = text(64);
const level = oneOf(...RUNTIME_LEVELS);

const state = exact({
  configured: oneOf('silent', ...RUNTIME_LEVELS),
  components: list(name, 64),
  changes: list(exact({ component: optional(name), level, until: text(32) }), 65),
});
const change = exact({
  component: optional(name),
  level,
  seconds: Type.Integer({ minimum: 1, maximum: MAX_LEVEL_SECONDS }),
});

/** The same on every crossing whose client is the gateway: how a role logs, and for how long otherwise. */
export const logLevels = contract('log-levels', {
  read: call({ args: [], returns: state, timeoutMs: TIMEOUT_MS }),
  change: call({ args: [change], returns: state, timeoutMs: TIMEOUT_MS }),
  reset: call({ args: [], returns: state, timeoutMs: TIMEOUT_MS }),
});
