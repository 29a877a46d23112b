import { readFile } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { type Command, Option } from 'commander';
import { AuditEpoch } from '../../appliance/gateway/audit-schemas.ts';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { MAX_NOTE_LENGTH } from '../../protocol/merkle/note.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmByTyping } from '../prompt.ts';
import { describeEpoch } from '../render/audit-epoch.ts';
import type { Terminal } from '../terminal.ts';

interface ResolveOptions {
  readonly checkpoint?: string;
  readonly where?: string;
  readonly yes?: boolean;
}

export function registerAuditResolve(group: Command, terminal: Terminal): void {
  addVerb(group, 'resolve', {
    summary: 'declare that what the log lacks is lost, and let the node go on',
    about:
      'For a log that contradicts what left this machine (AUDIT_TRUNCATED, AUDIT_FORKED), when the right one cannot be put back. The log begins a new epoch, whose first entry names the last head known outside and the number of lost entries; that is shown for ever. Nothing is repaired: it is your statement, on record with your name. Keep the folder as evidence first.',
    examples: [
      'audit resolve',
      'audit resolve --yes --json',
      'audit resolve --checkpoint kept.note --where "auditor, May"',
    ],
  })
    .addOption(new Option('--checkpoint <file>', 'a signed checkpoint of this log that somebody kept'))
    .addOption(new Option('--where <text>', 'who kept it'))
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, resolve));
}

async function resolve(call: Call<ResolveOptions>): Promise<void> {
  const { options, terminal, output } = call;
  const told = await readCheckpoint(call);
  await withNode(call, async (client) => {
    const { nodeId, audit } = await client.json(NodeStatus, 'GET', '/v1/node');
    const expected = nodeId.slice(0, 8);
    const reason = audit?.conflict?.reason ?? 'the log';
    await confirmByTyping(terminal, {
      action: 'declaring entries of the audit log lost',
      message: `${reason}. This declares what is missing lost, for ever, under your name. Type ${expected} to go on.`,
      expected,
      yes: options.yes === true,
    });
    const epoch = await client.json(AuditEpoch, 'POST', '/v1/audit/resolve', told);
    output.result(epoch, `${describeEpoch(epoch)}\nthe node goes on: \`nectar-byon status\``);
  });
}

async function readCheckpoint({
  options,
  terminal,
}: Call<ResolveOptions>): Promise<{ checkpoint?: string; where?: string }> {
  const { checkpoint, where } = options;
  if (checkpoint === undefined) return {};
  const path = resolvePath(terminal.workingFolder, checkpoint);
  try {
    const note = await readFile(path, 'utf8');
    if (note.length > MAX_NOTE_LENGTH) throw new NectarError('AUDIT_NOTE_INVALID', { reason: 'it is too long' });
    return { checkpoint: note, ...(where !== undefined && { where }) };
  } catch (error) {
    if (error instanceof NectarError) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code }, { cause: error });
  }
}
