import type { LoadedConfig } from './load.ts';
import { configOptions, getAt } from './options.ts';
import { nodeConfigSchema } from './schema.ts';

export interface PrintedOption {
  readonly path: string;
  readonly value: unknown;
  readonly source: string;
  readonly env: string;
  readonly description: string;
}

/** Userinfo and query of a URL may carry an API key of the L1 provider: they are never shown. */
function redactUrl(value: string): string {
  if (!URL.canParse(value)) return value;
  const url = new URL(value);
  if (url.username === '' && url.password === '' && url.search === '' && url.pathname.length <= 1) return value;
  return `${url.protocol}//${url.host}${url.pathname.length > 1 || url.search !== '' ? '/[redacted]' : ''}`;
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') return /^(https?|wss?):/.test(value) ? redactUrl(value) : value;
  if (Array.isArray(value)) return value.map(redact);
  return value;
}

/** Every option with its effective value, its source, its variable and its meaning; URLs lose what may be a credential. */
export function printConfig(loaded: LoadedConfig): PrintedOption[] {
  return configOptions(nodeConfigSchema).map(({ path, env, schema }) => ({
    path,
    value: redact(getAt(loaded.config, path)),
    source: loaded.sources.get(path) ?? 'default',
    env,
    description: schema.description ?? '',
  }));
}
