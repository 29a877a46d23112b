import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { computeAddress, hexlify } from 'ethers';
import { findIdentityFile } from '../../../../appliance/config/index.ts';
import {
  adoptKeys,
  createKeys,
  findAdoptable,
  holdsKeys,
  makeKeys,
  nodeEnvelopeCrypto,
  type OnStep,
} from '../../../../appliance/keys/index.ts';
import { isOpenToOthers, readSecretFile } from '../../../../appliance/keys/providers/secret-file.ts';
import { openIdentityKey } from '../../../../appliance/p2p/identity.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { UIDS } from '../../../../cli/provision/docker/role-table.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';

const deps = {
  crypto: nodeEnvelopeCrypto,
  now: () => new Date('2026-11-30T03:00:00Z'),
  randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
  log: createLogger({ level: 'silent' }),
  metrics: createMetrics,
};
class Crash extends Error {}

describe('the keys of a node that has no init', () => {
  let folder: string;
  let home: string;
  let keyFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-first-'));
    [home, keyFile] = [join(folder, 'keys'), join(folder, 'secret', 'root-key')];
    await mkdir(home);
    await mkdir(join(folder, 'secret'));
    await writeFile(keyFile, randomBytes(32), { mode: 0o400 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const make = (onStep?: OnStep) => makeKeys({ home, keyFile, nodeId: randomBytes(16).toString('hex') }, deps, onStep);
  const publicOf = (at = home) => findIdentityFile(join(at, 'public.json')) ?? assert.fail('no public identity');
  /** The node's keys open with the root key, and are those that its public identity names. */
  const requireWhole = async (at = home) => {
    const keys = createKeys(
      { home: at, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
      { ...deps, metrics: createMetrics() },
    );
    await keys.start(new AbortController().signal);
    assert.equal(keys.state(), 'unlocked');
    const { peerId, operator } = publicOf(at);
    const seed = await keys.openIdentity('p2p');
    assert.equal(peerIdOf((await openIdentityKey(seed)).publicKey.raw), peerId);
    assert.equal(computeAddress(hexlify(await keys.openIdentity('operator'))).toLowerCase(), operator);
    for (const name of ['checkpoint', 'token']) assert.ok((await keys.openIdentity(name)).length > 0);
    await keys.stop();
  };
  const stepsOf = async (work: (onStep: OnStep) => Promise<void>): Promise<string[]> => {
    const steps: string[] = [];
    await work((step) => void steps.push(step));
    return steps;
  };

  it('are made under the root key that is mounted, which stays as it is', async () => {
    const before = await readFile(keyFile);
    await make();
    assert.deepEqual(await readFile(keyFile), before);
    await requireWhole();
    assert.deepEqual((await readdir(home)).sort(), ['identity', 'keys.json', 'public.json']);
  });

  it('are not made without a root key: nothing is left that looks like a node', async () => {
    await rm(keyFile);
    await assert.rejects(make(), { code: 'KEY_FILE_MISSING' });
    assert.equal(await holdsKeys(home), false);
  });

  it('are whole, and no others, whenever the process is killed while it makes them', async () => {
    const steps = await stepsOf((onStep) => make(onStep));
    assert.ok(steps.length >= 10, steps.join(', '));
    for (const [at] of steps.entries()) {
      await rm(home, { recursive: true });
      await mkdir(home);
      let reached = 0;
      const killed = make(() => {
        if (reached++ === at) throw new Crash();
      });
      await assert.rejects(killed, Crash);
      // Whoever was told of an identity was told of one that lasts.
      const told = (await holdsKeys(home)) ? publicOf() : undefined;
      if (told === undefined) await make();
      await requireWhole();
      if (told !== undefined) assert.deepEqual(publicOf(), told, steps[at]);
    }
  });

  describe('that were made elsewhere', () => {
    let offered: string;
    const secret = () => findAdoptable(offered).then((found) => found ?? assert.fail('nothing to adopt'));

    beforeEach(async () => {
      await make();
      offered = join(folder, 'adopt');
      await mkdir(offered);
      for (const name of await readdir(join(home, 'identity')))
        await copyFile(join(home, 'identity', name), join(offered, name));
      for (const name of ['keys.json', 'public.json']) await copyFile(join(home, name), join(offered, name));
      await rm(home, { recursive: true });
      await mkdir(home);
    });

    it('are taken over as they are, from a Secret that has no folders', async () => {
      await adoptKeys(home, await secret());
      await requireWhole();
      assert.deepEqual(await readFile(join(home, 'keys.json')), await readFile(join(offered, 'keys.json')));
    });

    it('are whole whenever the process is killed while it takes them over', async () => {
      const steps = await stepsOf(async (onStep) => adoptKeys(home, await secret(), onStep));
      for (const [at] of steps.entries()) {
        await rm(home, { recursive: true });
        await mkdir(home);
        let reached = 0;
        await assert.rejects(
          adoptKeys(home, await secret(), () => {
            if (reached++ === at) throw new Crash();
          }),
          Crash,
        );
        assert.equal(await holdsKeys(home), false, 'keys.json comes last');
        await adoptKeys(home, await secret());
        await requireWhole();
      }
    });

    it('are refused when they are incomplete or damaged', async () => {
      for (const [name, damage] of [
        ['p2p.sealed', () => rm(join(offered, 'p2p.sealed'))],
        ['token.sealed', () => rm(join(offered, 'token.sealed'))],
        ['public.json', () => rm(join(offered, 'public.json'))],
        ['keys.json', () => writeFile(join(offered, 'keys.json'), '{}')],
      ] as const) {
        const before = await readFile(join(offered, name));
        await damage();
        await assert.rejects(findAdoptable(offered), { code: 'NODE_IDENTITY_INVALID' }, name);
        await writeFile(join(offered, name), before);
      }
      await secret();
      await rm(join(offered, 'keys.json'));
      assert.equal(await findAdoptable(offered), undefined, 'a Secret without keys offers none');
      assert.equal(await findAdoptable(join(folder, 'nowhere')), undefined);
    });
  });
});

describe('a secret file', () => {
  const [ours, root] = [64_002, 0];

  it('of another user may be read by our group alone, as the kubelet mounts it; one of ours by nobody else', () => {
    assert.equal(isOpenToOthers({ mode: 0o100440, uid: root, gid: ours }, ours), false);
    assert.equal(isOpenToOthers({ mode: 0o100400, uid: ours, gid: ours }, ours), false);
    assert.equal(isOpenToOthers({ mode: 0o100600, uid: ours, gid: 0 }, ours), false);
    assert.equal(isOpenToOthers({ mode: 0o100640, uid: ours, gid: 0 }, ours), true);
    for (const mode of [0o444, 0o404, 0o460, 0o450, 0o401, 0o442])
      assert.equal(isOpenToOthers({ mode: 0o100000 | mode, uid: root, gid: ours }, ours), true, mode.toString(8));
  });

  it("of an admin's may be read by the group of the store's container, and by no other group", () => {
    const admin = 1_000;
    assert.equal(isOpenToOthers({ mode: 0o100440, uid: admin, gid: UIDS.store }, admin), false);
    for (const gid of [0, admin, UIDS.gateway])
      assert.equal(isOpenToOthers({ mode: 0o100440, uid: admin, gid }, admin), true, String(gid));
    for (const mode of [0o460, 0o450, 0o444])
      assert.equal(isOpenToOthers({ mode: 0o100000 | mode, uid: admin, gid: UIDS.store }, admin), true);
  });

  it('that the kubelet mounted is read', {
    skip: process.getuid?.() !== 0 && 'needs root to give a file away',
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-secret-'));
    try {
      const path = join(folder, 'root-key');
      await writeFile(path, 'a secret');
      await chown(path, ours, 0);
      await chmod(path, 0o440);
      const { size } = await readSecretFile(path, { home: join(folder, 'home'), maxBytes: 32 });
      assert.equal(size, 8);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
