import type { AuditorDesk } from '../../appliance/membership/index.ts';
import type { Hex, PeerIdText, RootHash } from '../../protocol/brand.ts';

/** What the double of the rollup's role answers. */
export const PEER = '12D3KooWNwat7QPSS3fvWDtnvKqUf8vjo7QAY7ZQP6V8FhG6NSaj' as PeerIdText;
export const ROOT = 'ab'.repeat(32) as RootHash;
export const HASH = `0x${'cc'.repeat(32)}` as Hex;
export const WITHDRAWAL = {
  ...{ id: 4, state: 'asserted' as const, to: `0x${'ca'.repeat(20)}`, amountWei: `${10n ** 30n}`, transaction: HASH },
  ...{ block: 7, claimableAt: '2026-11-30T00:00:00.000Z' },
};
export const STAKE = {
  ...{ state: 'leaving' as const, account: `0x${'ca'.repeat(20)}`, balanceWei: `${10n ** 30n}`, requiredWei: '1' },
  ...{ owedWei: '0', stakeId: 4, amountWei: '1', standsOn: HASH, returnableAt: '2026-11-30T00:00:00.000Z' },
};
export const NO_STAKE = {
  ...{ ...STAKE, state: 'none' as const, stakeId: null, amountWei: null, standsOn: null, returnableAt: null },
  waiting: 'a reason',
};
export const assertions = {
  mode: 'watching' as const,
  state: 'false-pending' as const,
  ...{ l1Block: 9, confirmedBatch: 3, confirmedBlock: null, pending: 1 },
  false: [
    {
      ...{ nodeId: HASH, status: 'live' as const, reason: 'state' as const, stake: 2, l1Block: 9, batch: 4 },
      asserted: { blockHash: HASH, sendRoot: HASH },
      derived: { block: 8, blockHash: HASH, sendRoot: HASH },
    },
  ],
};
const endpoint = { url: 'https://l1.example', standing: 'good' as const, head: 9, lag: 0, answers: 3, failures: 1 };
export const l1 = {
  block: 9,
  endpoints: [
    { ...endpoint, problem: 'nothing listens there' },
    { ...endpoint, standing: 'uncompared' as const, head: null, lag: null },
  ],
  ...{ disagreement: 'they disagree', waiting: 'waiting for the data of batch 7: nobody has it' },
};
export const SNAPSHOT = [Buffer.from('the first part'), Buffer.alloc(300_000, 7)];
export type Decision = Parameters<AuditorDesk['decide']>[0];
export const DUE: Awaited<ReturnType<AuditorDesk['queue']>>['due'][number] = {
  ...{ peerId: '12D3KooWPeer', nodeId: `0x${'11'.repeat(32)}`, owner: `0x${'22'.repeat(20)}` },
  ...{ why: 'appeal', at: '2027-01-01T00:00:00.000Z' },
  standing: { status: 'draining', drainsUntil: '2027-01-31T00:00:00.000Z', appealedAt: '2027-01-01T00:00:00.000Z' },
};
export const DECISIONS = [
  { verb: 'attest', peerId: 'p', validUntil: 1_800_000_000 },
  { verb: 'eject', peerId: 'p', reason: 'harm' },
  { verb: 'readmit', peerId: 'p' },
] as const;
