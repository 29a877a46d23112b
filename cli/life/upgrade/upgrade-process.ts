import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../../appliance/config/index.ts';
import { readFormat, undoFormat } from '../../../appliance/home-format.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { leaving } from '../../interruption.ts';
import { askNodeStatus } from '../../node-status.ts';
import { type Check, checkDisk } from '../../preflight.ts';
import { type BringUp, bringUp } from '../../provision/process/bring-up.ts';
import { readRunning } from '../../provision/process/running.ts';
import { stopProcess } from '../../provision/process/stop-node.ts';
import { checkBackupAge } from '../check-backup.ts';
import { findLastBackup } from '../last-backup.ts';
import { prepareStart } from '../prepare-start.ts';
import { checkOrder } from './check-upgrade.ts';
import { type FormerStart, findObjection, serveByFormer, serveByOwn, startFormer } from './former-program.ts';
import { findRunningProgram, isSameProgram, OWN_PROGRAM } from './running-program.ts';
import {
  type FormerProgram,
  findFormerProgram,
  forgetFormerProgram,
  leaveFormerProgram,
  noteFormerProgram,
} from './upgrade-record.ts';

const HALF_DONE = 'the node may be down: `nectar-byon upgrade` goes on, `nectar-byon rollback` goes back';

/** What an upgrade of a node that runs as a process starts from. */
export interface ProcessUpgrade {
  /** What ran before, where it is still there; undefined: there is no way back. */
  readonly former: FormerProgram | undefined;
  readonly from: string;
  /** This very program runs the node already. */
  readonly isDone: boolean;
  readonly checks: readonly Check[];
}

/** Looks at the process that runs, and where none does at what an interrupted upgrade left. Changes nothing. */
export async function examineProcess<O>(call: Call<O>): Promise<ProcessUpgrade> {
  const { home, terminal } = call;
  const noted = await findFormerProgram(home);
  const running = findRunningProgram(home);
  const version = readRunning(home) === undefined ? undefined : (await askNodeStatus(call)).node.version;
  const isOwn = running !== undefined && isSameProgram(running, OWN_PROGRAM);
  const isDone = isOwn && version === OWN_PROGRAM.version;
  const found =
    running === undefined || version === undefined || isOwn ? noted : { ...running, version, format: readFormat(home) };
  const objection = found && (await findObjection(found));
  const former = objection === undefined ? found : undefined;
  const from = (isDone ? noted?.version : version) ?? noted?.version ?? OWN_PROGRAM.version;
  const checks = [
    checkOrder(from, OWN_PROGRAM.version),
    checkProcess(version, noted),
    isOwn && !isDone ? IN_PLACE : checkWayBack(former, objection),
    await checkDisk(home),
    checkBackupAge(await findLastBackup(home), terminal.now()),
  ];
  return { former: isOwn && !isDone ? undefined : former, from, isDone, checks };
}

const IN_PLACE: Check = {
  name: 'way back',
  value: 'none: the program was replaced in its own folder',
  grade: 'poor',
  advice: 'install the next version into a folder of its own',
};

function checkProcess(version: string | undefined, noted: FormerProgram | undefined): Check {
  const name = 'node';
  if (version !== undefined) return { name, value: `${version} runs`, grade: 'good' };
  if (noted !== undefined)
    return { name, value: 'is down', grade: 'poor', advice: 'an upgrade was interrupted: it goes on' };
  return { name, value: 'is down', grade: 'bad', advice: '`nectar-byon up` starts it, with this program' };
}

function checkWayBack(former: FormerProgram | undefined, objection: string | undefined): Check {
  const name = 'way back';
  if (objection !== undefined) return { name, value: 'none', grade: 'poor', advice: objection };
  if (former !== undefined && existsSync(former.entry) && existsSync(former.exec))
    return { name, value: `${former.version} in ${former.entry}`, grade: 'good' };
  return { name, value: 'none: the program that ran is gone', grade: 'poor', advice: 'keep its folder beside the new' };
}

/**
 * Stops the node and starts it with this program; goes back by itself when that does not become ready. Interrupted at any step it can be run
 * again: what runs says where it stands.
 *
 * @throws NectarError UPGRADE_ROLLED_BACK
 */
export async function upgradeProcess(request: BringUp, { former }: ProcessUpgrade) {
  const { home, terminal, output } = request;
  const { signal } = terminal;
  // First where to go back to: without it an interrupted upgrade would have no way back.
  if (former === undefined) await forgetFormerProgram(home);
  else await noteFormerProgram(home, former);
  return leaving(
    terminal,
    () => HALF_DONE,
    async () => {
      try {
        await stopProcess(home, { signal });
        const { passphrase } = await prepareStart({ home, terminal, output, passphraseFile: request.passphraseFile });
        const node = await bringUp({ ...request, passphrase });
        await serveByOwn(home, terminal, output);
        return node;
      } catch (error) {
        if (signal.aborted || former === undefined) throw error;
        output.note('it did not become ready: going back');
        await goBack(request, (await findFormerProgram(home)) ?? former);
        const reason = isNectarError(error) ? error.message : String((error as Error).message);
        throw new NectarError('UPGRADE_ROLLED_BACK', { to: former.version, reason }, { cause: error });
      }
    },
  );
}

/** Back to the program before the last upgrade; one that was interrupted goes on. @throws NectarError UPGRADE_ROLLBACK_ABSENT */
export async function rollBackProcess(request: BringUp): Promise<FormerStart & { readonly version: string }> {
  const { home, terminal } = request;
  const former = await findFormerProgram(home);
  if (former === undefined) throw new NectarError('UPGRADE_ROLLBACK_ABSENT', { home });
  return leaving(
    terminal,
    () => HALF_DONE,
    async () => ({
      ...(await goBack(request, former)),
      version: former.version,
    }),
  );
}

async function goBack(request: BringUp, former: FormerProgram): Promise<FormerStart> {
  const { home, terminal, output } = request;
  // Before anything is stopped.
  const reason = await findObjection(former);
  if (reason !== undefined)
    throw new NectarError('CLI_NODE_START_FAILED', { reason, log: join(home, 'logs', 'node.log') });
  const running = findRunningProgram(home);
  if (running === undefined || !isSameProgram(running, former)) {
    await stopProcess(home, { signal: terminal.signal });
    for (const folder of homePaths(home).formats('all'))
      await undoFormat(folder, former.format, { onMigration: ({ title }) => output.note(`taking back: ${title}`) });
  }
  const started = await startFormer(former, request);
  await serveByFormer(former, request);
  await leaveFormerProgram(home, former);
  return started;
}
