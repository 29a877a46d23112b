import { EXIT } from '../../appliance/exit-code.ts';
import type { HARDENING_ERRORS } from '../../protocol/errors/hardening.ts';
import type { Guidance } from './guidance.ts';

export const HARDENING_GUIDANCE: Record<keyof typeof HARDENING_ERRORS, Guidance> = {
  HARDENING_CHECKS_INVALID: {
    exit: EXIT.config,
    remedy: 'Correct the files, or install the program again. No check was judged.',
  },
  HARDENING_PROFILE_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'Name one of the profiles that `nectar-byon harden --help` lists.',
  },
  HARDENING_CHECK_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'Take an id from the report, or from `nectar-byon harden --list`.',
  },
  HARDENING_FACTS_INVALID: {
    exit: EXIT.config,
    remedy: 'Collect them again with `nectar-byon harden --save-facts FILE` of the same version. Nothing was judged.',
  },
  HARDENING_REPORT_INVALID: {
    exit: EXIT.config,
    remedy: 'Use the JSON that `nectar-byon harden --format json` wrote, unchanged.',
  },
  HARDENING_FAILED: {
    exit: EXIT.checksFailed,
    remedy: 'Do what the report says of each, or waive it with `nectar-byon harden waive ID`, with a name and an end.',
  },
  HARDENING_INCOMPLETE: {
    exit: EXIT.unreachable,
    remedy: 'The report says for each what could not be seen: start the node, or run with the privilege that is named.',
  },
  HARDENING_REPORT_VIOLATED: {
    exit: EXIT.checksFailed,
    remedy: 'Do not rely on this file. Ask for the original, and compare its digest with the audit log of the node.',
  },
  HARDENING_REPORT_UNPROVEN: {
    exit: EXIT.unreachable,
    remedy:
      'Put its FILE.asc and FILE.proof.json beside it, and give --key and --vkey as the owner of the node states them.',
  },
  HARDENING_KEY_MISSING: {
    exit: EXIT.key,
    remedy: 'Make one with `nectar-byon harden keygen`.',
  },
  HARDENING_KEY_INVALID: {
    exit: EXIT.key,
    remedy: 'Name the exported public key (`nectar-byon harden key -o FILE`), or make a new one with `harden keygen`.',
  },
  HARDENING_KEY_LOCKED: {
    exit: EXIT.locked,
    remedy: 'Give the passphrase of the report key with `--passphrase-file FILE`.',
  },
  HARDENING_WAIVER_INVALID: {
    exit: EXIT.usage,
    remedy: 'A waiver has an owner, a reason, and a last day within a year: `nectar-byon harden waive --help`.',
  },
  HARDENING_WAIVER_UNKNOWN: {
    exit: EXIT.usage,
    remedy: '`nectar-byon harden waive --list` shows the waivers.',
  },
  HARDENING_WAIVER_NEEDLESS: {
    exit: EXIT.usage,
    remedy:
      'Only a failure can be waived, not one to come. Run `nectar-byon harden` (without --no-record) with the profile that has the check, then waive it.',
  },
  HARDENING_SCHEDULE_DAMAGED: {
    exit: EXIT.config,
    remedy:
      'Set it again with `nectar-byon harden schedule --every 24h`, or end it with `--every off`: both take away what was there, and write the file anew.',
  },
  HARDENING_SCHEDULE_REFUSED: {
    exit: EXIT.config,
    remedy: 'Choose another way with `--by`: systemd, crontab, or hand, which tells the line to add yourself.',
  },
};
