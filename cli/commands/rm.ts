import { type Command, Option } from 'commander';
import { DestructionReceipt } from '../../appliance/gateway/record-schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { findRecord, parseRecordId } from '../record-id.ts';
import type { Terminal } from '../terminal.ts';

export function registerRm(program: Command, terminal: Terminal): void {
  addVerb(program, 'rm <records...>', {
    summary: 'destroy records for good (crypto-shred)',
    about:
      'Destroys the keys of every version in this node, and prints a signed receipt: from then on the node opens no copy. Their bytes leave its files in the next moments, also after a restart: `status` shows what is pending. The ciphertext that peers hold opens for nobody from then on; each is told to delete it, again and again until it signs that it did (`status`: deletions; `audit query --type replica.release` has the receipts). A dishonest holder can sign and keep ciphertext for ever: what protects the record is that its key is destroyed, and nothing else. Backup repositories (`backup --to`) follow with their next run, in every snapshot: the answer says which; --reach-backups runs them now and waits. Not reached: backup files (`backup --out`) and copies of the disk or of a repository made before; they keep the record readable for whoever has one and the key file or passphrase. Delete them as your retention says. The audit log keeps that the record existed and who destroyed it.',
    examples: ['rm 3f0c...e1', 'rm --yes 3f0c...e1 --json > receipt.json'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addOption(new Option('--reach-backups', 'run the backup to each known repository, and wait for it'))
    .action(action(terminal, rm));
}

interface RmOptions {
  readonly yes?: boolean;
  readonly reachBackups?: boolean;
}

async function rm(call: Call<RmOptions>): Promise<void> {
  const { operands, options, terminal, output } = call;
  operands.forEach(parseRecordId);
  await withNode(call, async (client) => {
    const records: string[] = [];
    for (const operand of operands) records.push(await findRecord(client, operand));
    const what = records.length === 1 ? `record ${records[0]}` : `${records.length} records`;
    await confirmAction(terminal, {
      action: `destroying ${what}`,
      message: `Destroy ${what} for good? No one can bring it back.`,
      yes: options.yes === true,
    });
    for (const record of records) {
      const receipt = await client.json(DestructionReceipt, 'DELETE', `/v1/records/${record}`);
      output.result(receipt, `${record} destroyed`);
    }
  });
  await followUp(call);
}

/** Destroyed in the node; in a repository with its next run. */
async function followUp({ home, options, terminal, output }: Call<RmOptions>): Promise<void> {
  const { knownRepositories } = await import('../life/repository/known-repositories.ts');
  const known = await knownRepositories(home);
  if (options.reachBackups !== true) {
    for (const { target, schedule, createdAt } of known) {
      const run = schedule === undefined ? 'which nothing schedules: run it, or --reach-backups' : 'by its schedule';
      output.note(`Not destroyed yet in ${target} (last run ${createdAt}): it follows with the next run, ${run}.`);
    }
    return;
  }
  const { backUpTo } = await import('../life/repository/back-up-to.ts');
  for (const { target, credentials } of known) {
    const place = { target, credentials, home, terminal, passphraseFile: undefined };
    const say = (text: string): void => output.note(text);
    await backUpTo({ ...place, acceptOlder: false, acceptLoss: false, say, onBytes: () => undefined });
    output.note(`Destroyed in every snapshot of ${target}, too.`);
  }
}
