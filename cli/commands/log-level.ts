import { type Command, Option } from 'commander';
import { LogLevelList } from '../../appliance/gateway/log-level-schemas.ts';
import { MAX_LEVEL_SECONDS } from '../../appliance/telemetry/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { renderLogLevels } from '../render/log-levels.ts';
import { LEVELS } from '../render/log-line.ts';
import { parseDuration } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_SECONDS = 600;

interface LogLevelOptions {
  readonly for?: number;
  readonly reset?: boolean;
}

export function registerLogLevel(program: Command, terminal: Terminal): void {
  addVerb(program, 'log-level [what...]', {
    summary: 'show how the node logs, or log more or less for a while',
    about:
      'WHAT is a level (error, warn, info, debug), or a role or component and a level. The node goes back to the configured level (`log.level`) by itself when the time is over, and at a restart. In a cluster all gateways take the change within a second, also one that starts before the time is over. Each change is on record in the audit log, so that a locked node refuses it. No level writes a secret or the content of a record; debug names what peers and clients send.',
    examples: ['log-level', 'log-level debug', 'log-level p2p debug --for 1h', 'log-level --reset'],
  })
    .addOption(new Option('--for <time>', 'for how long: 30s, 10m, 2h (default: 10m)').argParser(parseSeconds))
    .addOption(new Option('--reset', 'log as configured again, at once').conflicts('for'))
    .action(action(terminal, logLevel));
}

function parseSeconds(text: string): number {
  const seconds = (parseDuration(text) ?? Number.NaN) / 1000;
  if (!(seconds <= MAX_LEVEL_SECONDS))
    throw new NectarError('CLI_USAGE', { problem: `${text} is no time such as 30s, 10m or 2h, of 24h at most` });
  return seconds;
}

async function logLevel(call: Call<LogLevelOptions>): Promise<void> {
  const { output, options } = call;
  const wanted = parseWanted(call);
  const list = await withNode(call, (client) => {
    const path = '/v1/node/log-levels';
    if (options.reset === true) return client.json(LogLevelList, 'DELETE', path);
    if (wanted === undefined) return client.json(LogLevelList, 'GET', path);
    return client.json(LogLevelList, 'PUT', path, { ...wanted, seconds: options.for ?? DEFAULT_SECONDS });
  });
  output.result(list, () => renderLogLevels(list, output.style));
}

/** Undefined: nothing is to be changed. */
function parseWanted({ operands, options }: Call<LogLevelOptions>): { level: string; target?: string } | undefined {
  const fail = (problem: string): never => {
    throw new NectarError('CLI_USAGE', { problem });
  };
  const [first, second, ...more] = operands;
  if (first === undefined) return options.for === undefined ? undefined : fail('--for needs a level');
  if (options.reset === true) return fail('--reset takes no level: it resets all of them');
  if (more.length > 0) return fail('at most a role or component and a level');
  const [level, target] = second === undefined ? [first] : [second, first];
  if (!(LEVELS as readonly string[]).includes(level)) return fail(`${level} is no level: error, warn, info or debug`);
  return { level, ...(target !== undefined && { target }) };
}
