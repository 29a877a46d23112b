import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { isNectarError } from '../../protocol/errors.ts';
import { socketsFolder } from '../config/index.ts';
import { checkHealth } from '../crossing/health/check-health.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import { EXIT } from '../exit-code.ts';
import { runSplitRole, type WireRole } from '../run-split-role.ts';
import { createLogger } from '../telemetry/index.ts';
import { watchUnhandled } from '../unhandled.ts';

type SplitRole = 'gateway' | 'store' | 'audit' | 'rollup';

/**
 * The program of an image, which holds one role and no command line: `run <role> --home DIR` and `healthcheck <role> [--live]`.
 * An error ends it as JSON on stderr, which says what it is; the exit code says whether a human can mend it (10) or it is a bug (1).
 */
export async function runEntry(role: SplitRole, wire: WireRole): Promise<never> {
  try {
    process.exit(await dispatch(role, wire));
  } catch (error) {
    const known = isNectarError(error);
    const shown = known
      ? { code: error.code, message: error.message, data: error.data }
      : { code: 'NODE_INTERNAL', message: String(error instanceof Error ? error.stack : error) };
    const text = JSON.stringify({ error: shown }, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    process.stderr.write(`${text}\n`);
    process.exit(known ? EXIT.config : EXIT.bug);
  }
}

async function dispatch(role: SplitRole, wire: WireRole): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { home: { type: 'string' }, live: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const [verb, named] = positionals;
  const home = typeof values.home === 'string' ? values.home : (process.env.NECTAR_HOME ?? '/nectar');
  if (named !== role || (verb !== 'run' && verb !== 'healthcheck')) {
    process.stderr.write(`usage: run ${role} --home DIR | healthcheck ${role} [--live]\n`);
    return EXIT.usage;
  }
  if (verb === 'healthcheck') {
    const { alive, ready, reason } = await checkHealth(healthSocketPath(socketsFolder(home, process.env), role));
    process.stdout.write(`${reason}\n`);
    return (values.live === true ? alive : ready) ? EXIT.ok : EXIT.bug;
  }
  watchUnhandled(role, createLogger({ level: 'error' }));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal));
  const listening = { onListening: () => undefined, signal: stop.signal };
  await runSplitRole({ role, home, version: manifest.version, env: process.env, ...listening }, wire);
  return EXIT.ok;
}
