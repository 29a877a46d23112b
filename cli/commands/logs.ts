import { createReadStream, existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { parseCount } from '../option-parsers.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { LEVELS, type Level, renderLogLine } from '../render/log-line.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_LINES = 50;
/** How far back from the end the last lines are looked for. */
const TAIL_BYTES = 4 * 1024 * 1024;
const FOLLOW_MS = 250;

interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly level: Level;
}

export function registerLogs(program: Command, terminal: Terminal): void {
  addVerb(program, 'logs', {
    summary: "show the node's log; also of a node that is down",
    examples: ['logs', 'logs -f --level warn', 'logs -n 1000 --json > node.ndjson'],
  })
    .addOption(new Option('-f, --follow', 'go on as lines come'))
    .addOption(new Option('-n, --lines <n>', 'how many of the last lines').argParser(parseCount).default(DEFAULT_LINES))
    .addOption(new Option('--level <level>', 'this level and above').choices(LEVELS).default('debug'))
    .action(action(terminal, logs));
}

async function logs(call: Call<LogsOptions>): Promise<void> {
  requireHome(call.home);
  if (findClusterTarget(call.home) !== undefined) return logsOfRoles(call, podLogs);
  if (findTarget(call.home) !== undefined) return logsOfRoles(call, containerLogs);
  const path = join(call.home, 'logs', 'node.log');
  const { lines, offset } = await lastLines(path, call);
  for (const line of lines.slice(-call.options.lines)) call.terminal.stdout.write(`${line}\n`);
  if (call.options.follow === true) await follow(path, offset, call);
}

interface RoleLine {
  readonly role: string;
  readonly line: string;
}

/** Where the lines of a node in several parts are. */
interface RoleLogs {
  read(home: string, lines: number, terminal: Terminal): Promise<readonly RoleLine[]>;
  follow(home: string, show: (line: RoleLine) => void, terminal: Terminal): Promise<void>;
}

const containerLogs = async (): Promise<RoleLogs> => {
  const { followNodeLogs, readNodeLogs } = await import('../provision/docker/container-logs.ts');
  return { read: readNodeLogs, follow: followNodeLogs };
};

const podLogs = async (): Promise<RoleLogs> => {
  const { followPodLogs, readPodLogs } = await import('../provision/kubernetes/pod-logs.ts');
  return { read: readPodLogs, follow: followPodLogs };
};

/** The lines of containers or pods in one, each with its role in front. */
async function logsOfRoles(call: Call<LogsOptions>, open: () => Promise<RoleLogs>): Promise<void> {
  const { home, options, output, terminal } = call;
  const { read, follow: followRoles } = await open();
  const show = ({ role, line }: { role: string; line: string }): void => {
    const text = renderLogLine(line, options.level, output);
    if (text === undefined) return;
    terminal.stdout.write(`${output.json ? withRole(text, role) : `${role.padEnd(ROLE_WIDTH)}${text}`}\n`);
  };
  for (const line of await read(home, options.lines, terminal)) show(line);
  if (options.follow === true) await followRoles(home, show, terminal);
}

const ROLE_WIDTH = 'gateway '.length;

function withRole(text: string, role: string): string {
  return JSON.stringify({ container: role, ...(JSON.parse(text) as object) });
}

/** The rendered lines near the end of the file, and where the file ended. */
async function lastLines(path: string, call: Call<LogsOptions>): Promise<{ lines: string[]; offset: number }> {
  if (!existsSync(path)) return { lines: [], offset: 0 };
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const begin = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - begin), 0, size - begin, begin);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    return { lines: shown(begin === 0 ? lines : lines.slice(1), call), offset: begin + bytesRead };
  } finally {
    await handle.close();
  }
}

function shown(lines: readonly string[], { options, output }: Call<LogsOptions>): string[] {
  return lines.flatMap((line) => renderLogLine(line, options.level, output) ?? []);
}

/** Polls: a watch would miss files on network mounts, and a rotation shows as a file that became shorter. */
async function follow(path: string, from: number, call: Call<LogsOptions>): Promise<void> {
  let offset = from;
  let rest = '';
  for (;;) {
    await sleep(FOLLOW_MS, undefined, { signal: call.terminal.signal });
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (size < offset) offset = 0;
    if (size === offset) continue;
    for await (const chunk of createReadStream(path, { start: offset, end: size - 1, encoding: 'utf8' })) rest += chunk;
    offset = size;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of shown(lines, call)) call.terminal.stdout.write(`${line}\n`);
  }
}
