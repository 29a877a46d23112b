import { type Command, Option } from 'commander';
import { DestructionReceipt } from '../../appliance/gateway/schemas.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { parseRecordId } from '../record-id.ts';
import type { Terminal } from '../terminal.ts';

export function registerRm(program: Command, terminal: Terminal): void {
  addVerb(program, 'rm <records...>', {
    summary: 'destroy records for good (crypto-shred)',
    about:
      'Destroys the keys of every version in this node, and prints a signed receipt. The ciphertext that peers hold opens for nobody from then on. A copy of the keys made before does: a backup file (`backup --out`) or a copy of the disk keeps the record readable for whoever has it and the key file or passphrase. Delete such files as your retention says. The audit log keeps that the record existed and who destroyed it.',
    examples: ['rm 3f0c...e1', 'rm --yes 3f0c...e1 --json > receipt.json'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rm));
}

async function rm(call: Call<{ yes?: boolean }>): Promise<void> {
  const { operands, options, terminal, output } = call;
  operands.forEach(parseRecordId);
  const what = operands.length === 1 ? `record ${operands[0]}` : `${operands.length} records`;
  await withNode(call, async (client) => {
    await confirmAction(terminal, {
      action: `destroying ${what}`,
      message: `Destroy ${what} for good? No one can bring it back.`,
      yes: options.yes === true,
    });
    for (const record of operands) {
      const receipt = await client.json(DestructionReceipt, 'DELETE', `/v1/records/${record}`);
      output.result(receipt, `${record} destroyed`);
    }
  });
}
