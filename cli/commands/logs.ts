import { createReadStream, existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { parseCount, parseMoment } from '../option-parsers.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { logFiles } from '../provision/process/node-log.ts';
import { LEVELS, type Level, type LogTail, renderLogLine } from '../render/log-line.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_LINES = 50;
/** How far back from the end the last lines are looked for. */
const TAIL_BYTES = 4 * 1024 * 1024;
const FOLLOW_MS = 250;

interface LogsOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly level: Level;
  readonly since?: number;
  readonly until?: number;
}

export function registerLogs(program: Command, terminal: Terminal): void {
  const moment = (text: string): number => parseMoment(text, terminal.now());
  addVerb(program, 'logs', {
    summary: "show the node's log; also of a node that is down",
    examples: ['logs', 'logs -f --level warn', 'logs --since 2h --level warn', 'logs -n 1000 --json > node.ndjson'],
  })
    .addOption(new Option('-f, --follow', 'go on as lines come'))
    .addOption(
      new Option(
        '-n, --lines <n>',
        `how many of the last lines (default: ${DEFAULT_LINES}; with --since all)`,
      ).argParser(parseCount),
    )
    .addOption(
      new Option('--since <time>', 'from then on: 10m, 2h, 3d ago, a date or an instant (ISO 8601)').argParser(moment),
    )
    .addOption(new Option('--until <time>', 'before this date or instant').argParser(moment))
    .addOption(new Option('--level <level>', 'this level and above').choices(LEVELS).default('debug'))
    .action(action(terminal, logs));
}

async function logs(call: Call<LogsOptions>): Promise<void> {
  requireHome(call.home);
  if (findClusterTarget(call.home) !== undefined) return logsOfRoles(call, podLogs);
  if (findTarget(call.home) !== undefined) return logsOfRoles(call, containerLogs);
  const path = join(call.home, 'logs', 'node.log');
  const { since, follow: goesOn } = call.options;
  const offset = since === undefined ? await showLast(path, call) : await showSince(path, since, call);
  if (goesOn === true) await follow(path, offset, call);
}

/** How many lines are shown at most. */
function count({ lines, since }: LogsOptions): number {
  return lines ?? (since === undefined ? DEFAULT_LINES : Number.MAX_SAFE_INTEGER);
}

interface RoleLine {
  readonly role: string;
  readonly line: string;
}

/** Where the lines of a node in several parts are. */
interface RoleLogs {
  read(home: string, wanted: LogTail, terminal: Terminal): Promise<readonly RoleLine[]>;
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
    const text = renderLogLine(line, options, output);
    if (text === undefined) return;
    terminal.stdout.write(`${output.json ? withRole(text, role) : `${role.padEnd(ROLE_WIDTH)}${text}`}\n`);
  };
  const wanted = { lines: count(options), ...(options.since !== undefined && { since: options.since }) };
  for (const line of await read(home, wanted, terminal)) show(line);
  if (options.follow === true) await followRoles(home, show, terminal);
}

const ROLE_WIDTH = 'gateway '.length;

function withRole(text: string, role: string): string {
  return JSON.stringify({ container: role, ...(JSON.parse(text) as object) });
}

/** The last lines of the file; gives where it ended. */
async function showLast(path: string, call: Call<LogsOptions>): Promise<number> {
  if (!existsSync(path)) return 0;
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const begin = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - begin), 0, size - begin, begin);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    const found = shown(begin === 0 ? lines : lines.slice(1), call);
    for (const line of found.slice(-count(call.options))) call.terminal.stdout.write(`${line}\n`);
    return begin + bytesRead;
  } finally {
    await handle.close();
  }
}

/** From a moment on, through what was rotated out of the file since; gives where the file ended. */
async function showSince(path: string, since: number, call: Call<LogsOptions>): Promise<number> {
  const { options, terminal } = call;
  let kept: string[] = [];
  let end = 0;
  for (const file of logFiles(path)) {
    const { size, mtimeMs } = await stat(file);
    end = file === path ? size : 0;
    if (mtimeMs < since || size === 0) continue;
    const lines = createInterface({
      input: createReadStream(file, { end: size - 1 }),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    for await (const line of lines) {
      const [text] = shown([line], call);
      if (text === undefined) continue;
      if (options.lines === undefined) terminal.stdout.write(`${text}\n`);
      else kept = [...kept, text].slice(-options.lines);
    }
  }
  for (const line of kept) terminal.stdout.write(`${line}\n`);
  return end;
}

function shown(lines: readonly string[], { options, output }: Call<LogsOptions>): string[] {
  return lines.flatMap((line) => renderLogLine(line, options, output) ?? []);
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
