import { CarWriter } from '@ipld/car';
import { CID } from 'multiformats/cid';
import type { RecordId } from '../../protocol/brand.ts';
import { createBlockSource } from './block-source.ts';
import { getVersion, type StoreCore } from './core.ts';
import { walkDag } from './dag-walk.ts';
import type { VersionEntry } from './entries.ts';
import type { AccessContext } from './needs.ts';
import { recordPatients } from './record-patients.ts';

/** A CAR (v1) of the sealed blob's blocks, each checked against its CID: any IPFS tool opens it, and sees ciphertext. */
export async function* exportCar(
  core: StoreCore,
  request: { readonly id: RecordId; readonly version: number | undefined; readonly context: AccessContext },
): AsyncGenerator<Uint8Array> {
  const { context } = request;
  const entry = await getVersion(core, request.id, request.version);
  const give = core.uses.take(entry.root);
  try {
    yield* carOf(core, entry, context);
  } finally {
    give();
  }
}

async function* carOf(core: StoreCore, entry: VersionEntry, context: AccessContext): AsyncGenerator<Uint8Array> {
  const { recordId, version } = entry;
  await core.deps.audit.append({
    type: 'record.export',
    outcome: 'success',
    context,
    recordId,
    version,
    ...recordPatients(entry.labels),
    detail: { format: 'car' },
  });
  const source = createBlockSource(core, { entry, context, signal: core.signal });
  const { writer, out } = CarWriter.create([CID.parse(entry.root)]);
  const written = (async () => {
    try {
      for await (const cid of walkDag(entry.root, (node) => source.loadChecked(node))) {
        await writer.put({ cid: CID.parse(cid), bytes: await source.loadChecked(cid) });
      }
    } finally {
      await writer.close();
    }
  })();
  // Awaited below; a reader that leaves early takes the writer with it.
  written.catch(() => undefined);
  yield* out;
  await written;
}
