import assert from 'node:assert/strict';
import type { ChallengeEvent } from '../../../appliance/rollup/challenge/evidence.ts';

/** Both audit logs tell of the same messages, and of how it ended. */
export async function assertOnRecord(
  records: Readonly<Record<'honest' | 'liar', readonly ChallengeEvent[]>>,
  { loser, winner }: { readonly loser: bigint; readonly winner: bigint },
  look: () => Promise<void>,
): Promise<void> {
  const ends = () =>
    [records.honest, records.liar].map((events) => events.find(({ type }) => type === 'challenge.end'));
  for (let looks = 0; looks < 200 && ends().includes(undefined); looks++) await look();
  assert.deepEqual(
    ends().map((event) => [event?.outcome, event?.detail.result, event?.detail.loser, event?.detail.winner]),
    [
      ['success', 'won', String(loser), String(winner)],
      ['failure', 'lost', String(loser), String(winner)],
    ],
  );
  const messages = (events: readonly ChallengeEvent[], direction: string) =>
    events
      .filter(({ type, detail }) => type === 'challenge.message' && detail.direction === direction)
      .map(({ detail: { round, digest, signature } }) => ({ round, digest, signature }));
  const said = messages(records.honest, 'signed');
  assert.deepEqual(
    said.map(({ round }) => round),
    [1, 3, 5, 7, 9, 11],
  );
  assert.deepEqual(messages(records.liar, 'received'), said);
  // The liar's own first move, in the other direction, reached nobody.
  const answered = messages(records.liar, 'signed').filter(({ round }) => round !== 1);
  assert.deepEqual(messages(records.honest, 'received'), answered);
  const entries = records.honest.filter(({ type }) => type === 'challenge.entry');
  assert.deepEqual(
    entries.map(({ detail }) => detail.entry),
    ['settle'],
  );
}
