import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fillsUp } from './full-disk.ts';
import { putKilledAndAgain } from './killed-put.ts';
import { refusesLostFolder } from './lost-folder.ts';
import { freePort, until, Workplace, walk } from './workplace.ts';

/** Everything that goes wrong at a clinic: each gets one clear error, and loses nothing. */
const work = new Workplace();
const home = work.path('home');
const record = work.path('record.bin');
const content = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 31) % 251));
let recordId = '';

interface Receipt {
  recordId: string;
}

async function put(file: string): Promise<string> {
  return (await work.lines<Receipt>(['put', '--again', file, '--home', home]))[0]?.recordId ?? '';
}

async function reads(id: string, expected: Buffer): Promise<void> {
  const out = work.path('read-back');
  const run = await work.run(['get', id, '-o', out, '--force', '--home', home]);
  assert.equal(run.code, 0, run.stderr);
  assert.ok(readFileSync(out).equals(expected));
}

const up = () => work.run(['up', '--home', home]);
const down = () => work.run(['down', '--home', home]);
const pid = (folder: string): number =>
  (JSON.parse(readFileSync(join(folder, 'run', 'node.json'), 'utf8')) as { pid: number }).pid;

/** Runs `body` with the file changed, and puts it back. */
async function damaged(file: string, change: (bytes: Buffer) => Buffer, body: () => Promise<void>): Promise<void> {
  const original = readFileSync(file);
  writeFileSync(file, change(Buffer.from(original)));
  try {
    await body();
  } finally {
    await down();
    writeFileSync(file, original);
  }
}

const flipped =
  (at: number) =>
  (bytes: Buffer): Buffer => {
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    return bytes;
  };

describe('a node with trouble', () => {
  before(async () => {
    writeFileSync(record, content);
    await work.json(['init', '--home', home, '--yes']);
    recordId = await put(record);
  });

  after(async () => {
    await down();
    await work.run(['devnet', 'down']);
    work.remove();
  });

  test('stores empty, truncated and malformed files byte for byte', async () => {
    const whole = readFileSync(new URL('../data/bad_sequence.dcm', import.meta.url));
    for (const [name, bytes] of Object.entries({
      'empty.json': Buffer.alloc(0),
      'cut.dcm': whole.subarray(0, 1000),
      'bad.dcm': whole,
    })) {
      const file = work.path(name);
      writeFileSync(file, bytes);
      await reads(await put(file), bytes);
    }
  });

  test('names a missing file and a malformed record id', async () => {
    assert.equal((await work.error(['put', work.path('nowhere'), '--home', home])).exit, 2);
    assert.equal((await work.error(['get', 'not-an-id', '-o', work.path('x'), '--home', home])).exit, 2);
    assert.equal(
      (await work.error(['get', '0'.repeat(32), '-o', work.path('x'), '--home', home])).code,
      'STORE_RECORD_NOT_FOUND',
    );
  });

  test('a second up is refused while the node runs, and two at once start one node', async () => {
    await down();
    const runs = await Promise.all([up(), up()]);
    assert.ok(
      runs.some((run) => run.code === 0),
      runs.map((run) => run.stderr).join('\n'),
    );
    const running = pid(home);
    const again = await work.error(['up', '--home', home]);
    assert.deepEqual([again.code, again.exit], ['NODE_HOME_IN_USE', 10]);
    assert.equal(pid(home), running);
    await reads(recordId, content);
  });

  test('a port that another program holds is one clear error', async () => {
    await down();
    const port = await freePort();
    const holder = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    try {
      const error = await work.error(['up', '--home', home], { env: { NECTAR_GATEWAY_PORT: String(port) } });
      assert.equal(error.code, 'GATEWAY_PORT_IN_USE');
      assert.equal(error.exit, 10);
      const plan = await work.error(['init', '--home', work.path('other'), '--yes', '--port', String(port)]);
      assert.equal(plan.exit, 10);
      assert.ok(!existsSync(work.path('other')));
    } finally {
      holder.close();
    }
    assert.equal((await up()).code, 0);
    await reads(recordId, content);
  });

  test('a corrupt configuration is one clear error, and mending it is enough', async () => {
    await down();
    for (const bad of ['{', '[]', '{"gateway":{"prot":1}}', '{"gateway":{"port":"x"}}']) {
      await damaged(
        join(home, 'config.json'),
        () => Buffer.from(bad),
        async () => {
          const error = await work.error(['up', '--home', home]);
          assert.deepEqual([error.code, error.exit], ['CONFIG_FILE_INVALID', 10]);
        },
      );
    }
    assert.equal((await up()).code, 0);
    await reads(recordId, content);
  });

  test('L1 gone and back: private data is served all the while, and anchoring goes on', async () => {
    const anvil = Number(readFileSync(join(work.path('devnet'), 'l1', 'anvil.pid'), 'utf8'));
    process.kill(anvil, 'SIGSTOP');
    const during = await put(record).finally(() => process.kill(anvil, 'SIGCONT'));
    process.kill(anvil, 'SIGKILL');
    await reads(during, content);
    await reads(recordId, content);
    const back = await work.run(['devnet', 'up']);
    assert.equal(back.code, 0, back.stderr);
    interface Listed {
      records: { recordId: string; anchored: boolean }[];
    }
    await until(
      'the record put meanwhile to be anchored',
      async () =>
        (await work.json<Listed>(['ls', '--home', home])).records.find((entry) => entry.recordId === during)
          ?.anchored === true
          ? true
          : undefined,
      90_000,
    );
  });

  test('a flipped byte in a stored block is STORE_BLOB_CORRUPT, never served', async () => {
    interface Listed {
      records: { recordId: string; cid: string }[];
    }
    const { records } = await work.json<Listed>(['ls', '--home', home]);
    await down();
    const blocks = walk(join(home, 'store', 'blocks'));
    // Of a record: a put that was killed may have left others.
    const block = blocks.find((path) => records.some(({ cid }) => path.endsWith(cid))) ?? blocks.at(0) ?? '';
    await damaged(block, flipped(1000), async () => {
      assert.equal((await up()).code, 0);
      const seen: string[] = [];
      for (const { recordId: id } of records)
        seen.push((await work.run(['get', id, '-o', work.path(`never-${id}`), '--json', '--home', home])).stderr);
      assert.ok(
        seen.some((stderr) => /"STORE_(BLOB_CORRUPT|BLOCK_MISSING)"/.test(stderr)),
        seen.join('\n'),
      );
    });
    assert.equal((await up()).code, 0);
    await reads(recordId, content);
  });

  test('a flipped byte in any file of the log fails integrity', async () => {
    await until(
      'an anchored log',
      async () =>
        (await work.json<{ anchored: { auditSize: number } }>(['status', '--home', home])).anchored.auditSize > 0
          ? true
          : undefined,
      90_000,
    );
    await down();
    // `generations` is a fold over the leaves that a start makes anew when it does not open: it decides nothing. `volume.json` says
    // which volume this is, and nothing of the log: a start looks at it.
    const files = walk(join(home, 'audit')).filter(
      (file) => readFileSync(file).length > 0 && !/\/(generations|volume\.json)$/.test(file),
    );
    assert.ok(files.length > 0);
    for (const file of files) {
      await damaged(file, flipped(-3), async () => {
        const run = await work.run(['audit', 'verify', '--json', '--home', home]);
        assert.equal(run.code, 3, `${file}: ${run.stdout}${run.stderr}`);
        assert.match(run.stdout + run.stderr, /"violated"|AUDIT_/);
      });
    }
    assert.equal((await work.json<{ integrity: string }>(['audit', 'verify', '--home', home])).integrity, 'ok');
  });

  test('a log put back to an older state is found out by its anchored checkpoint', async () => {
    assert.equal((await up()).code, 0);
    const anchoredSize = async (): Promise<number> =>
      (await work.json<{ anchored: { auditSize: number } }>(['status', '--home', home])).anchored.auditSize;
    await until('an anchored log', async () => ((await anchoredSize()) > 0 ? true : undefined), 90_000);
    await down();
    const older = work.path('older-audit');
    cpSync(join(home, 'audit'), older, { recursive: true });
    assert.equal((await up()).code, 0);
    await put(record);
    const { audit } = await work.json<{ audit: { size: number } }>(['status', '--home', home]);
    await until(
      'an anchor of all that the older log lacks',
      async () => ((await anchoredSize()) >= audit.size ? true : undefined),
      90_000,
    );
    await down();
    const newer = work.path('newer-audit');
    renameSync(join(home, 'audit'), newer);
    cpSync(older, join(home, 'audit'), { recursive: true });
    try {
      // The signed heads that the chain has are kept beside the log: barred before the chain answers, and alive to say so.
      const started = await work.error(['up', '--home', home]);
      assert.equal(started.code, 'AUDIT_TRUNCATED');
      const run = await work.run(['audit', 'verify', '--json', '--home', home]);
      assert.equal(run.code, 3, run.stdout + run.stderr);
      assert.match(run.stdout, /"completeness":"violated"/);
      assert.match(run.stdout, /AUDIT_TRUNCATED.*AuditAnchor/);
      const status = await work.json<{ ready: boolean; audit: { conflict: { code: string } } }>([
        'status',
        '--home',
        home,
      ]);
      assert.deepEqual([status.ready, status.audit.conflict.code], [false, 'AUDIT_TRUNCATED']);
      assert.notEqual((await work.run(['get', recordId, '-o', work.path('barred'), '--home', home])).code, 0);
      assert.ok(!existsSync(work.path('barred')), 'nothing private is served');
    } finally {
      await down();
      rmSync(join(home, 'audit'), { recursive: true });
      renameSync(newer, join(home, 'audit'));
    }
    assert.equal((await up()).code, 0);
    await reads(recordId, content);
  });

  test('a lost folder of records is no empty node: it does not start, and everything says so', () =>
    refusesLostFolder(work, home, () => reads(recordId, content)));

  test('a flipped byte in the index is detected with a code', async () => {
    await down();
    const tables = walk(join(home, 'store', 'index')).filter(
      (file) => /\.(ldb|log)$/.test(file) && readFileSync(file).length > 200,
    );
    // The largest has records; the newest may hold nothing that is still asked for.
    const table = tables.toSorted((one, other) => statSync(one).size - statSync(other).size).at(-1) ?? '';
    await damaged(table, flipped(120), async () => {
      const started = await work.run(['up', '--home', home, '--json']);
      const outputs = [started.stderr];
      if (started.code === 0) {
        for (const args of [['ls'], ['get', recordId, '-o', work.path('never2')], ['scrub']]) {
          const run = await work.run([...args, '--json', '--home', home]);
          outputs.push(run.stderr + run.stdout);
        }
      }
      assert.match(outputs.join('\n'), /STORE_INDEX_[A-Z]+/);
    });
    assert.equal((await up()).code, 0);
    await reads(recordId, content);
  });

  // After those that flip bytes: it leaves blocks and index values behind that nothing reads any more.
  test('a put that is killed in the middle goes on when the same command is run again', () =>
    putKilledAndAgain(work, home, reads));

  test('a full disk is NODE_DISK_FULL; what was stored stays, and it works again once there is space', async (t) => {
    await fillsUp(t, work, { record, content });
  });
});

describe('a node that a passphrase opens', () => {
  test('starts locked, refuses a wrong passphrase with one error, opens with the right one', async () => {
    const place = new Workplace();
    const at = place.path('home');
    const right = place.path('right.txt');
    const wrong = place.path('wrong.txt');
    const file = place.path('record.bin');
    writeFileSync(file, content);
    writeFileSync(right, 'correct horse battery staple\n', { mode: 0o600 });
    writeFileSync(wrong, 'incorrect horse battery staple\n', { mode: 0o600 });
    try {
      await place.json(['init', '--home', at, '--yes', '--unlock', 'passphrase', '--passphrase-file', right]);
      const [receipt] = await place.lines<Receipt>(['put', file, '--home', at]);
      await place.run(['down', '--home', at]);
      const started = await place.run(['up', '--home', at, '--json']);
      assert.ok(started.code === 0 || started.code === 11, started.stderr);
      const refused = await place.error(['get', receipt?.recordId ?? '', '-o', place.path('out'), '--home', at]);
      assert.deepEqual([refused.code, refused.exit], ['KEY_LOCKED', 11]);
      const bad = await place.error(['unlock', '--passphrase-file', wrong, '--home', at]);
      assert.deepEqual([bad.code, bad.exit], ['KEY_PASSPHRASE_WRONG', 12]);
      assert.equal((await place.run(['unlock', '--passphrase-file', right, '--home', at])).code, 0);
      await until('ready', async () =>
        (await place.json<{ ready: boolean }>(['status', '--home', at])).ready ? true : undefined,
      );
      assert.equal((await place.run(['get', receipt?.recordId ?? '', '-o', place.path('out'), '--home', at])).code, 0);
      assert.ok(readFileSync(place.path('out')).equals(content));
    } finally {
      await place.run(['down', '--home', at]);
      await place.run(['devnet', 'down']);
      place.remove();
    }
  });
});
