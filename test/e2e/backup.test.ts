import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { filesHolding, recordFiles, until, Workplace } from './workplace.ts';

interface Made {
  readonly fileBytes: number;
  readonly recorded: boolean;
}

interface Verdict {
  readonly integrity: string;
  readonly completeness: string;
}

describe('a lost disk', { timeout: 600_000 }, () => {
  const place = new Workplace();
  const [home, fresh] = [place.path('clinic'), place.path('clinic-again')];
  const keyFile = place.path('clinic.key');
  const file = place.path('clinic.backup');
  const repository = place.path('repository');
  const recovered = place.path('clinic-recovered');
  const records = new Map<string, string>();
  let doomed = '';
  const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

  /** What the log says of backups and restores, oldest first. */
  const lastCopies = async (of: string): Promise<string[]> => {
    const tail = ['audit', 'tail', '-n', '1000', '--home', of];
    const { entries } = await place.json<{ entries: { index: number; leaf: { type: string } }[] }>(tail);
    const types = entries.toSorted((a, b) => a.index - b.index).map(({ leaf }) => leaf.type);
    return types.filter((type) => type === 'node.backup' || type === 'node.restore');
  };

  /** One file and three snapshots of the running node, then what came. */
  const copies = (...then: string[]): string[] => [...Array.from({ length: 4 }, () => 'node.backup'), ...then];

  after(async () => {
    await place.run(['down', '--home', home]);
    await place.run(['down', '--home', fresh]);
    await place.run(['down', '--home', recovered]);
    await place.run(['devnet', 'down']);
    place.remove();
  });

  test('a running node with real FHIR and DICOM is backed up to one file', async () => {
    await place.json(['init', '--yes', '--home', home, '--unlock', 'file', '--key-file', keyFile]);
    for (const path of recordFiles()) {
      const { recordId } = await place.json<{ recordId: string }>(['put', path, '--home', home]);
      records.set(recordId, sum(path));
    }
    await until('the log to be anchored', async () => {
      const { anchored } = await place.json<{ anchored: { auditSize: number } | null }>(['status', '--home', home]);
      return (anchored?.auditSize ?? 0) > 0 ? true : undefined;
    });
    const live = place.path('live.backup');
    const { fileBytes, recorded } = await place.json<Made>(['backup', '--out', live, '--home', home]);
    assert.ok(fileBytes > 100_000, String(fileBytes));
    assert.equal(recorded, true);
    assert.deepEqual(await lastCopies(home), ['node.backup']);
    await place.json(['restore', live, '--check', '--home', place.path('never')]);
  });

  test('a repository takes what is new, and what is destroyed is destroyed in it too', async () => {
    const [path = ''] = recordFiles();
    doomed = (await place.json<{ recordId: string }>(['put', '--again', path, '--home', home])).recordId;
    const backUp = () =>
      place.json<{ newBytes: number; auditLeaf: number }>(['backup', '--to', repository, '--home', home]);
    const first = await backUp();
    const second = await backUp();
    assert.ok(first.newBytes > 100_000 && second.newBytes < first.newBytes / 2, JSON.stringify([first, second]));
    await place.json(['rm', '--yes', '--reach-backups', doomed, '--home', home]);
    const found = await place.json<{ faults: string[]; records: number }>(['backup', 'verify', '--home', home]);
    assert.deepEqual([found.faults, found.records > 0], [[], true]);
    const { snapshots } = await place.json<{ snapshots: unknown[] }>(['backup', 'list', '--home', home]);
    assert.equal(snapshots.length, 3);
  });

  test('refuses to put the key file into it', async () => {
    const refused = await place.error(['backup', '--out', place.path('x'), '--with-key-file', '--home', home]);
    assert.deepEqual([refused.code, refused.exit], ['BACKUP_KEY_REFUSED', 2]);
  });

  test('every record, and the log with both verdicts, is there again on a fresh host', async () => {
    await place.json(['down', '--home', home]);
    const { recorded } = await place.json<Made>(['backup', '--out', file, '--home', home]);
    assert.equal(recorded, false, 'nobody is there to write it down');
    const wrong = await place.error(['restore', file, '--home', fresh, '--key-file', place.path('none.key')]);
    assert.deepEqual([wrong.code, wrong.exit], ['KEY_FILE_MISSING', 12]);
    await place.json(['restore', file, '--home', fresh, '--key-file', keyFile]);
    await place.json(['up', '--home', fresh]);
    assert.deepEqual(await lastCopies(fresh), copies('node.restore'));
    for (const [id, expected] of records) {
      const out = place.path('out');
      await place.json(['get', id, '-o', out, '--force', '--home', fresh]);
      assert.equal(sum(out), expected, id);
    }
    const verdict = await until('both verdicts', async () => {
      const found = await place.json<Verdict>(['audit', 'verify', '--home', fresh]);
      return found.completeness === 'unknown' ? undefined : found;
    });
    assert.deepEqual([verdict.integrity, verdict.completeness], ['ok', 'ok']);
    const { findings } = await place.json<{ findings: unknown[] }>(['scrub', '--home', fresh]);
    assert.deepEqual(findings, []);
  });

  test('a backup of the node that was down is on record once it is up again', async () => {
    await place.json(['down', '--home', fresh]);
    const out = place.path('second.backup');
    await place.json(['backup', '--out', out, '--home', fresh]);
    await place.json(['up', '--home', fresh]);
    const all = copies('node.restore', 'node.backup');
    assert.deepEqual(await lastCopies(fresh), all);
    await place.json(['down', '--home', fresh]);
    await place.json(['up', '--home', fresh]);
    assert.deepEqual(await lastCopies(fresh), all, 'once is enough');
  });

  test('one command makes a running node of the repository, rehearsed before; the destroyed record stays so', async () => {
    await place.json(['down', '--home', fresh]);
    const from = ['recover', repository, '--home', recovered, '--key-file', keyFile];
    const rehearsed = await place.json<{ rehearsed: boolean; records: number }>([...from, '--rehearse']);
    assert.ok(rehearsed.rehearsed && rehearsed.records > 0);
    await place.json([...from, '--snapshot', '1']);
    for (const [id, expected] of records) {
      const out = place.path('out');
      await place.json(['get', id, '-o', out, '--force', '--home', recovered]);
      assert.equal(sum(out), expected, id);
    }
    const gone = await place.error(['get', doomed, '-o', place.path('x'), '--home', recovered]);
    assert.equal(gone.code, 'STORE_RECORD_SHREDDED');
  });

  test('no word of a patient is in any byte of a backup', () => {
    const names = ['Jacob', 'Larson', 'Patient/', 'urn:uuid:'];
    assert.deepEqual(
      filesHolding(place.folder, names).filter((path) => path.endsWith('.backup') || path.startsWith(repository)),
      [],
    );
  });
});
