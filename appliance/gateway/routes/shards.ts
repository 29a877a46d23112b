import Type from 'typebox';
import type { PeerIdText, RecordId } from '../../../protocol/brand.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { DrillRequest, RecordShards, RepairRequest, ShardDrill, ShardStanding } from '../storage-schemas.ts';

const RecordPath = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'A record.' }) });

const health = describeOperation({
  id: 'getRecordShards',
  tag: 'records',
  summary: 'How the segments of a record stand at its holders',
  guard: { scope: 'admin' },
  params: RecordPath,
  response: { 200: RecordShards },
});
const drill = describeOperation({
  id: 'drillSegment',
  tag: 'records',
  summary: 'Read a segment of a record from its holders alone',
  description:
    'Ciphertext, though it is here as well: each block is held against its CID, and what does not come, or is not right to the byte, is an error. Nothing is opened and nothing is replaced.',
  guard: { scope: 'admin' },
  body: DrillRequest,
  response: { 200: ShardDrill },
});
const repair = describeOperation({
  id: 'repairShards',
  tag: 'node',
  summary: 'Look through all segments now, and repair what is due',
  description:
    'By itself the node does so each hour, and after each fault. With `awayFrom` the shards of that holder are made anew elsewhere, and it is given no more.',
  guard: { scope: 'admin' },
  body: RepairRequest,
  response: { 200: ShardStanding },
});

export function addShardRoutes(server: GatewayServer, { deps }: RouteContext): void {
  server.get('/v1/storage/records/:id', health, (request) =>
    deps.store.shardsOf((request.params as { id: RecordId }).id),
  );
  server.post('/v1/storage/drill', drill, (request) => {
    const { recordId, segment } = request.body as DrillRequest;
    return deps.store.drill({ recordId: recordId as RecordId, segment }, request.gone);
  });
  server.post('/v1/storage/repair', repair, (request) => {
    const { awayFrom } = request.body as RepairRequest;
    return deps.store.repairShards(awayFrom === undefined ? {} : { awayFrom: awayFrom as PeerIdText });
  });
}
