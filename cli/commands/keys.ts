import { type Command, Option } from 'commander';
import { KeyList, RetirementResult, RotationResult } from '../../appliance/gateway/key-schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { registerKeyProviders } from './keys-providers.ts';
import { registerKeyRecovery } from './keys-recovery.ts';
import { registerKeyRekey } from './keys-rekey.ts';

export function registerKeys(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'keys', 'the keys that wrap the data keys, and what opens the node');
  addVerb(group, 'list', {
    summary: 'list the key encryption keys and what opens the node: names and ages, never keys',
    examples: ['keys list', 'keys list --json'],
  }).action(action(terminal, list));
  addVerb(group, 'rotate', {
    summary: 'make a new key encryption key and rewrap every data key with it',
    about: 'Fast: no stored blob is touched, no CID changes. The rotation is in the audit log.',
    examples: ['keys rotate', 'keys rotate --yes --json'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rotate));
  addVerb(group, 'retire', {
    summary: 'destroy the key encryption keys that are not in use any more',
    about:
      'Wraps what is still under an older key anew first. Afterwards an older copy of the index opens nothing, not even with this keys.json. A backup keeps the keys of its time: make a new one.',
    examples: ['keys retire', 'keys retire --yes --json'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, retire));
  registerKeyRekey(group, terminal);
  registerKeyProviders(group, terminal);
  registerKeyRecovery(group, terminal);
}

async function list(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const answer = await client.json(KeyList, 'GET', '/v1/keys');
    call.output.result(answer, () =>
      [renderKeys, renderProviders, renderPurposes].map((one) => one(answer)).join('\n\n'),
    );
  });
}

function renderKeys({ keys }: KeyList): string {
  return renderTable(
    [{ title: 'KEY' }, { title: 'MADE' }, { title: 'IN USE' }],
    keys.map((key) => [key.id, key.createdAt, useOf(key)]),
  );
}

function useOf({ current, destroyedAt }: KeyList['keys'][number]): string {
  if (destroyedAt !== undefined) return `destroyed ${destroyedAt}`;
  return current ? 'yes' : 'older data only';
}

function renderProviders({ providers }: KeyList): string {
  return renderTable(
    [{ title: 'OPENED BY' }, { title: 'WHAT' }, { title: 'ENROLLED' }, { title: 'AT A START' }],
    providers.map((entry) => [
      entry.id,
      entry.title,
      entry.createdAt,
      entry.attended ? 'waits for somebody' : 'by itself',
    ]),
  );
}

const SEALED_BY: Readonly<Record<KeyList['purposes'][number]['purpose'], string>> = {
  index: 'the index: names, labels, sizes and times of records',
  'audit-body': 'the bodies of the audit log: who did what, from where',
  identity: 'the identities of the node',
  'rollup-db': 'the database of the chain',
  backup: 'metadata of backup repositories',
};
const PURPOSE_STATES: Readonly<Record<KeyList['purposes'][number]['state'], string>> = {
  first: 'of the first root key',
  kept: 'as before: an earlier root key opens it',
  pending: 'made; sealed by it at the next start',
  replaced: 'new: no earlier root key opens it',
  added: 'new from the next start on; what is there is sealed by it behind that start',
};

function renderPurposes({ purposes }: KeyList): string {
  return renderTable(
    [{ title: 'WHAT ELSE IS SEALED' }, { title: 'ITS KEY' }],
    purposes.map(({ purpose, state }) => [SEALED_BY[purpose], PURPOSE_STATES[state]]),
  );
}

async function retire(call: Call<{ yes?: boolean }>): Promise<void> {
  const { options, terminal, output } = call;
  await withNode(call, async (client) => {
    if (!output.json) {
      const message = 'Destroy every key that is not in use any more?';
      await confirmAction(terminal, { action: 'retiring the keys', message, yes: options.yes === true });
    }
    const { destroyed, ...counts } = await client.json(RetirementResult, 'POST', '/v1/keys/retire');
    const text = destroyed.length === 0 ? 'nothing to destroy' : `destroyed: ${destroyed.join(', ')}`;
    output.result({ destroyed, ...counts }, text);
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
