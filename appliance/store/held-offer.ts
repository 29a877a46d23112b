import { findEntry, type StoreCore } from './core.ts';
import { encodeEntry, type OfferEntry } from './entries.ts';
import type { AccessContext } from './needs.ts';
import type { Offer } from './replicas.ts';

/** What this node takes of other owners: as configured, until an operator says otherwise; that lasts over restarts and is in backups. */
export async function loadOffer(core: StoreCore): Promise<void> {
  core.offer = await findEntry<OfferEntry>(core, core.keys.offer);
}

export function offerOf(core: StoreCore): Offer {
  const bytes = core.offer?.bytes ?? core.options.heldMaxBytes;
  return { bytes, heldBytes: core.db.stats().heldBytes, from: core.offer === undefined ? 'configuration' : 'command' };
}

/** On record first. Less than is held takes nothing away: nothing more comes in. */
export async function changeOffer(core: StoreCore, bytes: number, context: AccessContext): Promise<Offer> {
  const before = offerOf(core).bytes;
  await core.deps.audit.append({ type: 'storage.offer', outcome: 'success', context, detail: { bytes, before } });
  const entry: OfferEntry = { bytes, since: core.deps.now().toISOString() };
  await core.db.commit([{ type: 'put', key: core.keys.offer, value: encodeEntry(entry) }]);
  core.offer = entry;
  return offerOf(core);
}
