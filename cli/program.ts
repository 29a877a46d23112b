import type { Command } from 'commander';
import { createBareProgram } from './bare-program.ts';
import { registerAdopt } from './commands/adopt.ts';
import { registerAudit } from './commands/audit.ts';
import { registerAuditor } from './commands/auditor.ts';
import { registerBackup } from './commands/backup.ts';
import { registerBundle } from './commands/bundle.ts';
import { registerChain } from './commands/chain.ts';
import { registerClients } from './commands/clients.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerConfig } from './commands/config.ts';
import { registerCrossings } from './commands/crossings.ts';
import { registerCustody } from './commands/custody.ts';
import { registerDestroy } from './commands/destroy.ts';
import { registerDevnet } from './commands/devnet.ts';
import { registerDispute } from './commands/dispute.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerDown } from './commands/down.ts';
import { registerExport } from './commands/export.ts';
import { registerFsck } from './commands/fsck.ts';
import { registerGet } from './commands/get.ts';
import { registerHarden } from './commands/harden.ts';
import { registerHealthcheck } from './commands/healthcheck.ts';
import { registerInit } from './commands/init.ts';
import { registerKeys } from './commands/keys.ts';
import { registerLogLevel } from './commands/log-level.ts';
import { registerLogs } from './commands/logs.ts';
import { registerLs } from './commands/ls.ts';
import { registerMonitoring } from './commands/monitoring.ts';
import { registerNetwork } from './commands/network.ts';
import { registerPut } from './commands/put.ts';
import { registerRecover } from './commands/recover.ts';
import { registerRestore } from './commands/restore.ts';
import { registerRm } from './commands/rm.ts';
import { registerRollback } from './commands/rollback.ts';
import { registerRun } from './commands/run.ts';
import { registerScrub } from './commands/scrub.ts';
import { registerService } from './commands/service.ts';
import { registerStatus } from './commands/status.ts';
import { registerStorage } from './commands/storage.ts';
import { registerSupportBundle } from './commands/support-bundle.ts';
import { registerTls } from './commands/tls.ts';
import { registerToken } from './commands/token.ts';
import { registerUnlock } from './commands/unlock.ts';
import { registerUp } from './commands/up.ts';
import { registerUpgrade } from './commands/upgrade.ts';
import { registerValidator } from './commands/validator.ts';
import type { Terminal } from './terminal.ts';

/** The whole command tree, in the order in which --help shows it. */
export function createProgram(terminal: Terminal): Command {
  const program = createBareProgram(terminal);
  const groups: readonly [string, readonly ((program: Command, terminal: Terminal) => void)[]][] = [
    [
      'The node:',
      [
        registerInit,
        registerUp,
        registerDown,
        registerStatus,
        registerLogs,
        registerLogLevel,
        registerUnlock,
        registerDoctor,
        registerService,
        registerDestroy,
      ],
    ],
    [
      'Its life:',
      [
        registerBackup,
        registerRestore,
        registerRecover,
        registerAdopt,
        registerCustody,
        registerUpgrade,
        registerRollback,
        registerBundle,
        registerSupportBundle,
      ],
    ],
    ['Records:', [registerPut, registerGet, registerExport, registerLs, registerRm, registerScrub, registerFsck]],
    [
      'Access and evidence:',
      [registerKeys, registerToken, registerClients, registerTls, registerAudit, registerHarden],
    ],
    [
      'Network:',
      [
        registerNetwork,
        registerAuditor,
        registerStorage,
        registerChain,
        registerDispute,
        registerValidator,
        registerDevnet,
      ],
    ],
    [
      'Other:',
      [registerConfig, registerMonitoring, registerCrossings, registerCompletion, registerRun, registerHealthcheck],
    ],
  ];
  for (const [heading, registers] of groups) {
    program.commandsGroup(heading);
    for (const register of registers) register(program, terminal);
  }
  return program;
}
