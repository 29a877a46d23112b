import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { roomReserveOf } from '../../appliance/room-reserve.ts';
import { createLogger } from '../../appliance/telemetry/index.ts';
import type { Workplace } from './workplace.ts';

const MIB = 1024 * 1024;

interface Receipt {
  readonly recordId: string;
}

interface Stored {
  /** A file, and what is in it. */
  readonly record: string;
  readonly content: Buffer;
}

/** A node on a volume of its own that fills up while it runs, and is then started without a free byte. */
export async function fillsUp(t: TestContext, work: Workplace, { record, content }: Stored): Promise<void> {
  const mount = work.path('small');
  mkdirSync(mount);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=320m', 'tmpfs', mount]).status !== 0) {
    t.skip('mounting a small filesystem needs root');
    return;
  }
  const home = join(mount, 'home');
  const filler = join(mount, 'filler');
  const out = work.path('small-out');
  const reads = async (id: string): Promise<void> => {
    assert.equal((await work.run(['get', id, '-o', out, '--force', '--home', home])).code, 0);
    assert.ok(readFileSync(out).equals(content));
  };
  const refused = async (args: readonly string[]): Promise<void> => {
    const error = await work.error([...args, '--home', home]);
    assert.deepEqual([error.code, error.exit], ['NODE_DISK_FULL', 10]);
  };
  try {
    await work.json(['init', '--home', home, '--yes']);
    const [first] = await work.lines<Receipt>(['put', record, '--home', home]);
    const recordId = first?.recordId ?? '';
    writeFileSync(filler, Buffer.alloc(230 * MIB));
    const big = work.path('big');
    writeFileSync(big, Buffer.alloc(100 * MIB, 5));
    await refused(['put', big]);
    writeFileSync(filler, '');
    await reads(recordId);
    assert.equal((await work.lines(['put', '--again', record, '--home', home])).length, 1);

    // A node keeps room a minute after its start; this one is told to.
    await work.run(['down', '--home', home]);
    await roomReserveOf(home, 'all', createLogger({ level: 'silent' }))?.keep();
    spawnSync('sh', ['-c', 'cat /dev/zero > "$0"', filler]);
    assert.equal(statfsSync(home).bavail, 0);
    await refused(['up']);
    await reads(recordId);
    await refused(['put', '--again', record]);
    const doctor = await work.run(['doctor', '--home', home]);
    assert.match(doctor.stdout, /the volume is full: no new records are taken/);
    writeFileSync(filler, '');
    assert.equal((await work.lines(['put', '--again', record, '--home', home])).length, 1);
  } finally {
    await work.run(['down', '--home', home]);
    spawnSync('umount', ['-l', mount]);
  }
}
