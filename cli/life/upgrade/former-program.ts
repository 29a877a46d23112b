import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { NectarError } from '../../../protocol/errors.ts';
import type { BringUp } from '../../provision/process/bring-up.ts';
import { readRunning } from '../../provision/process/running.ts';
import type { Output } from '../../render/output.ts';
import { runProgram } from '../../schedule/run-program.ts';
import { describeService, findStarter } from '../../service/node-service.ts';
import type { Terminal } from '../../terminal.ts';
import { OWN_PROGRAM } from './running-program.ts';
import type { FormerProgram } from './upgrade-record.ts';

const startedAnswer = Type.Object({ gateway: Type.String(), ready: Type.Boolean() });
/** What a node that was started says of itself. */
export type FormerStart = Static<typeof startedAnswer>;

/** Loading a program, over what its node is given to become ready. */
const SLACK_MS = 60_000;
const MAX_REASON = 300;

/** Has the other program start the node, as its user would: it knows how. One that runs already says so. */
export async function startFormer(former: FormerProgram, request: BringUp): Promise<FormerStart> {
  const { home, timeoutMs, passphraseFile } = request;
  const running = readRunning(home);
  const seconds = `${Math.ceil(timeoutMs / 1000)}s`;
  const file = passphraseFile === undefined ? [] : ['--passphrase-file', passphraseFile];
  const { code, stdout, stderr } = await call(former, ['up', '--timeout', seconds, ...file], request);
  if (code === 0) {
    const value: unknown = JSON.parse(stdout);
    if (Value.Check(startedAnswer, value)) return value;
  }
  if (running?.gateway !== undefined && /NODE_HOME_IN_USE/.test(stderr))
    return { gateway: running.gateway, ready: true };
  const said = stderr.trim().slice(-MAX_REASON) || `exit ${code}`;
  throw new NectarError('CLI_NODE_START_FAILED', {
    reason: `${former.entry} of ${former.version}: ${said}`,
    log: join(home, 'logs', 'node.log'),
  });
}

/** What starts the node with the machine starts the program that runs it now. */
export async function serveByOwn(home: string, terminal: Terminal, output: Output): Promise<void> {
  try {
    await (await findStarter(describeService(home), terminal))?.install();
  } catch {
    output.note(
      'the machine still starts the version before: run `nectar-byon service install` as the user who ran it first',
    );
  }
}

/** The same for the program before. */
export async function serveByFormer(former: FormerProgram, request: BringUp): Promise<void> {
  const { home, terminal, output } = request;
  if ((await findStarter(describeService(home), terminal)) === undefined) return;
  const { code } = await call(former, ['service', 'install'], request);
  if (code !== 0)
    output.note(
      `the machine still starts the newer version: run \`service install\` of ${former.entry} as the user who ran it first`,
    );
}

/**
 * Why this user does not start a program that a home, or the process that runs it, names; undefined: nothing is against it. Root takes
 * only what is its own, or of the owner of this very program: else whoever has the home would have the machine.
 */
export async function findObjection({
  exec,
  entry,
}: Pick<FormerProgram, 'exec' | 'entry'>): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owners = new Set([0, (await stat(OWN_PROGRAM.entry)).uid]);
  for (const path of [exec, entry]) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || !owners.has(found.uid) || isWritableByOthers(found))
      return `root does not start ${path}, which others can change: start it as its owner`;
  }
  return undefined;
}

function isWritableByOthers({ mode, gid }: { readonly mode: number; readonly gid: number }): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
}

function call(former: FormerProgram, words: readonly string[], { home, terminal, timeoutMs }: BringUp) {
  const argv = [former.exec, former.entry, ...words, '--home', home, '--json'] as const;
  const { env, signal } = terminal;
  return runProgram([...argv] as [string, ...string[]], { env, signal, timeoutMs: timeoutMs + SLACK_MS });
}
