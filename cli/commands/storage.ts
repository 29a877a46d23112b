import type { Command } from 'commander';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { StorageOffer } from '../../appliance/gateway/storage-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { parseSize } from '../option-parsers.ts';
import { describeOffer } from '../render/offer.ts';
import type { Terminal } from '../terminal.ts';
import { registerShardVerbs } from './storage-shards.ts';

export function registerStorage(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'storage', 'what this node stores for other members, and they for it');
  addVerb(group, 'offer [size]', {
    summary: 'show, or change, how much of this disk is offered to other members',
    about:
      'SIZE is a number with a unit (500MiB, 100GiB, 2TiB), `none`, or `show`, which is also what no SIZE means. A node offers nothing unless it is told to, by this command or by `init --offer`. Members then bring encrypted blocks that this node cannot read; it answers questions about them, and deletes them when their owner says so. The change counts at once, lasts over restarts, goes before `store.heldMaxBytes`, and is on record in the audit log. A smaller offer deletes nothing: what is held stays until its owner releases it. Whatever is offered, nothing is taken while the volume has less free space than `store.ownReserveBytes`.',
    examples: ['storage offer', 'storage offer 100GiB', 'storage offer none'],
  }).action(action(terminal, offer));
  registerShardVerbs(group, terminal);
}

async function offer(call: Call<object>): Promise<void> {
  const [size = 'show'] = call.operands;
  const bytes = size === 'show' ? undefined : parseSize(size);
  await withNode(call, async (client) => {
    const now =
      bytes === undefined
        ? await shown(client)
        : await client.json(StorageOffer, 'PUT', '/v1/storage/offer', { bytes });
    call.output.result(now, () => describeOffer(now));
  });
}

async function shown(client: Parameters<Parameters<typeof withNode>[1]>[0]): Promise<StorageOffer> {
  const { storage } = await client.json(NodeStatus, 'GET', '/v1/node');
  if (storage?.offer === undefined || storage.offer === null)
    throw new NectarError('NODE_NOT_READY', { service: 'store', reason: 'its state is not known yet' });
  return storage.offer;
}
