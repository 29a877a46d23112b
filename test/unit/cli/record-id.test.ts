import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordMeta } from '../../../appliance/gateway/record-schemas.ts';
import type { Client } from '../../../cli/client.ts';
import { renderRecords } from '../../../cli/commands/ls.ts';
import { findRecord, parseRecordId, shortIds } from '../../../cli/record-id.ts';
import { isNectarError } from '../../../protocol/errors.ts';

const idOf = (i: number): string => i.toString(16).padStart(8, '0').padEnd(32, 'e');

/** A node with 2,500 records, which it lists in pages of 1,000. */
function listing(ids: readonly string[]) {
  let pages = 0;
  const json = async (_shape: unknown, method: string, path: string): Promise<unknown> => {
    const url = new URL(path, 'https://node');
    assert.deepEqual([method, url.pathname], ['GET', '/v1/records']);
    pages += 1;
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const records = ids.slice(from, from + 1_000).map((recordId) => ({ recordId }));
    return { records, ...(from + 1_000 < ids.length && { cursor: String(from + 1_000) }) };
  };
  return { client: { json } as unknown as Client, pages: () => pages };
}

const ids = Array.from({ length: 2_500 }, (_, i) => idOf(i));

test('a whole id is taken as it is, in capitals too, and nothing is asked', async () => {
  const { client, pages } = listing(ids);
  assert.equal(await findRecord(client, idOf(7).toUpperCase()), idOf(7));
  assert.equal(pages(), 0);
});

test('the beginning of an id stands for the one record that has it, wherever it is in the list', async () => {
  const { client, pages } = listing(ids);
  assert.equal(await findRecord(client, '000009c3'), idOf(0x9c3));
  assert.equal(pages(), 3, 'all are looked at: another may begin so, too');
});

test('a beginning of several or of none is an error that changes nothing', async () => {
  const { client } = listing(ids);
  await assert.rejects(findRecord(client, '00000000'.slice(0, 6)), (error) => {
    assert.ok(isNectarError(error, 'CLI_RECORD_AMBIGUOUS'));
    assert.equal(error.data.records.length, 5);
    return true;
  });
  await assert.rejects(findRecord(client, 'ffffff'), (error) => isNectarError(error, 'CLI_RECORD_UNKNOWN'));
  for (const text of ['', '12345', 'xyzxyz', `${idOf(1)}0`, '../../v1/keys'])
    assert.throws(
      () => parseRecordId(text),
      (error) => isNectarError(error, 'CLI_USAGE'),
    );
});

test('what is shown short is whole where two begin alike', () => {
  assert.deepEqual(shortIds([idOf(1), idOf(2)]), ['00000001eeee', '00000002eeee']);
  const alike = [`${'a'.repeat(12)}${'0'.repeat(20)}`, `${'a'.repeat(12)}${'1'.repeat(20)}`];
  assert.deepEqual(shortIds(alike), alike);
});

test('a list fits 80 columns on a terminal, and has everything in a pipe', () => {
  const record: RecordMeta = {
    recordId: idOf(1),
    version: 1,
    cid: 'bafk',
    bytes: 123_456_789,
    contentType: 'application/fhir+json',
    createdAt: '2026-11-30T07:00:12.000Z',
    labels: ['imaging'],
    kekId: 'kek/1',
    replicas: [],
    name: 'chest.dcm',
    anchored: true,
  };
  const short = renderRecords([record], true).split('\n');
  assert.ok(
    short.every((line) => line.length <= 80),
    short.join('\n'),
  );
  assert.match(short[1] ?? '', /^00000001eeee +118 MiB +2026-11-30 07:00 +yes +imaging +chest\.dcm$/);
  assert.match(renderRecords([record]), new RegExp(`^RECORD.*VER.*TYPE.*STORED \\(UTC\\)[^]*${idOf(1)}`));
});
