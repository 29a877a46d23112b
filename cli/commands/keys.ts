import { type Command, Option } from 'commander';
import { KeyList, RotationResult } from '../../appliance/gateway/schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

export function registerKeys(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'keys', 'list and rotate the keys that wrap the data keys');
  addVerb(group, 'list', {
    summary: 'list the key encryption keys: names and ages, never keys',
    examples: ['keys list', 'keys list --json'],
  }).action(action(terminal, list));
  addVerb(group, 'rotate', {
    summary: 'make a new key encryption key and rewrap every data key with it',
    about: 'Fast: no stored blob is touched, no CID changes. The rotation is in the audit log.',
    examples: ['keys rotate', 'keys rotate --yes --json'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rotate));
}

async function list(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const answer = await client.json(KeyList, 'GET', '/v1/keys');
    call.output.result(answer, () =>
      renderTable(
        [{ title: 'KEY' }, { title: 'MADE' }, { title: 'UNLOCKED BY' }, { title: 'IN USE' }],
        answer.keys.map((key) => [key.id, key.createdAt, key.provider, key.current ? 'yes' : 'older data only']),
      ),
    );
  });
}

async function rotate(call: Call<{ yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  await withNode(call, async (client) => {
    if (!output.json) {
      const message = 'Make a new key and rewrap every data key?';
      await confirmAction(terminal, { action: 'rotating the keys', message, yes: options.yes === true });
    }
    const result = await client.json(RotationResult, 'POST', '/v1/keys/rotate');
    output.result(result, () => `${result.from} -> ${result.to}, ${result.rewrapped} data keys rewrapped`);
  });
}
