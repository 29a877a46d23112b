import type { Command } from 'commander';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { assertionLines } from '../render/assertions.ts';
import type { Terminal } from '../terminal.ts';
import { registerStake } from './stake.ts';

/** `validator status`, `validator stake`, `validator unstake`. */
export function registerValidator(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'validator', 'the stake by which this node asserts L2 on L1');
  addVerb(group, 'status', {
    summary: 'show what is asserted on L1, whether this node asserts, and its challenges',
    about:
      'A node asserts where rollup.validator.enabled is set: then it stakes, asserts, and plays challenges by itself.',
    examples: ['validator status', 'validator status --json | jq .mode'],
  }).action(action(terminal, status));
  registerStake(group, terminal);
}

async function status(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const { assertions = null } = await client.json(NodeStatus, 'GET', '/v1/node');
    call.output.result(assertions ?? { state: 'unknown' }, () => {
      if (assertions === null) return 'the node does not say what is asserted on L1';
      const lines = assertionLines(assertions, call.output.style);
      const mode = assertions.mode === 'asserting' ? 'this node asserts' : 'this node only watches';
      return [mode, ...lines.map(([name, value]) => (name === '' ? value : `${name}: ${value}`))].join('\n');
    });
  });
}
