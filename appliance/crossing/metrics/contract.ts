import { METRIC_TYPES } from '../../telemetry/index.ts';
import { call, contract } from '../contract.ts';
import { exact, list, oneOf, pattern, text } from '../shape.ts';

/** A scrape waits no longer for a role than a scraper waits for the node. */
const TIMEOUT_MS = 2_000;
/** A role has about a hundred families and a few hundred samples: 60 KiB. */
const MAX_BYTES = 1024 * 1024;
const MAX_FAMILIES = 1_000;
const MAX_SAMPLES = 5_000;
const NAME = '^[a-zA-Z_][a-zA-Z0-9_]*$';

const label = exact({ name: pattern(NAME, 64), value: text(256) });
const sample = exact({
  name: pattern(NAME, 128),
  labels: list(label, 16),
  value: pattern('^(NaN|[+-]Inf|-?[0-9]+([.][0-9]+)?(e[+-]?[0-9]+)?)$', 40),
});
const family = exact({
  name: pattern(NAME, 128),
  help: text(1024),
  type: oneOf(...METRIC_TYPES),
  samples: list(sample, MAX_SAMPLES),
});

/** The same on every crossing whose client is the gateway: what a role without a network has to tell of itself. */
export const metrics = contract('metrics', {
  read: call({ args: [], returns: list(family, MAX_FAMILIES), maxOutputBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }),
});
