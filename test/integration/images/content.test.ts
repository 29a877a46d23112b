import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layerSizes } from '../../../images/digest-lock.ts';
import { npmPackagesOf } from '../../../images/npm-packages.ts';
import { type ImageRole, ROLE_SPECS, ROLES } from '../../../images/role-specs.ts';
import { checkSizes } from '../../../images/sizes-doc.ts';
import { assembled, isFile, membersOf } from './assembled.ts';

const skip = process.platform === 'linux' ? false : 'images are assembled on Linux';

/** Shells, package managers, interpreters, fetchers, whatever an intruder would look for first. */
const TOOLS =
  /(^|\/)(sh|ash|bash|dash|zsh|busybox|toybox|env|su|sudo|mount|apt|apt-get|dpkg|apk|rpm|dnf|npm|npx|corepack|yarn|pnpm|perl|python\d*|curl|wget|nc|ssh|gdb|strace)$/;
const SETUID_SETGID = 0o6000;
const ANY_EXECUTE = 0o111;

/** Packages that belong to other roles: their code in this image would be attack surface without use. */
const FOREIGN: Readonly<Record<ImageRole, RegExp>> = {
  gateway: /^(libp2p|@libp2p\/.*|@ethereumjs\/.*|tiny-secp256k1|ipfs-unixfs|@ipld\/.*)$/,
  store: /^(ethers|libp2p|@libp2p\/.*|@ethereumjs\/.*|tiny-secp256k1|fastify|@fastify\/.*|jose|@peculiar\/.*)$/,
  audit:
    /^(ethers|libp2p|@libp2p\/.*|@ethereumjs\/.*|tiny-secp256k1|fastify|@fastify\/.*|jose|@peculiar\/.*|@ipld\/.*|ipfs-unixfs)$/,
  rollup: /^(@ethereumjs\/(evm|vm|statemanager)|fastify|@fastify\/.*|jose|@peculiar\/.*|@ipld\/car|ipfs-unixfs)$/,
};
/** Services of ours that run elsewhere. */
const FOREIGN_SERVICES: Readonly<Record<ImageRole, RegExp>> = {
  gateway: /^appliance\/(store|audit|rollup|p2p|keys|anchor|replication)\/(?!config\.ts)/,
  store: /^appliance\/(gateway|rollup|p2p|anchor|replication)\/(?!config\.ts)/,
  audit: /^appliance\/(store|gateway|rollup|p2p|anchor|replication)\/(?!config\.ts)/,
  rollup: /^appliance\/(store|gateway|audit)\/(?!config\.ts)/,
};

describe('the content of the images', { skip }, () => {
  for (const role of ROLES) {
    const members = async () => {
      const found = (await assembled()).roles.find((built) => built.role === role);
      assert.ok(found);
      return { ...found, members: membersOf(found.image) };
    };

    test(`${role}: no shell, no package manager; node is the only program`, async () => {
      const { members: all } = await members();
      assert.deepEqual(
        all.filter((member) => member.type !== '5' && TOOLS.test(member.path)).map(({ path }) => path),
        [],
      );
      const executable = all.filter((member) => isFile(member) && (member.mode & ANY_EXECUTE) !== 0);
      const programs = executable.filter(({ path }) => !/\.so(\.[\d.]+)?$/.test(path)).map(({ path }) => path);
      assert.deepEqual(programs, ['nodejs/bin/node']);
    });

    test(`${role}: nothing is setuid or setgid but the socket directories; nobody may write what is not his`, async () => {
      const { members: all } = await members();
      const special = all.filter(({ mode }) => (mode & SETUID_SETGID) !== 0);
      assert.ok(
        special.every(({ type, path, mode }) => type === '5' && /^run\/nectar\//.test(path) && mode === 0o2770),
      );
      const writable = all.filter(({ mode, type }) => type !== '2' && (mode & 0o022) !== 0 && (mode & 0o2000) === 0);
      assert.deepEqual(
        writable.map(({ path }) => path),
        ['tmp'],
      );
      const owned = all.filter(({ uid, gid }) => uid !== 0 || gid !== 0);
      assert.ok(owned.length > 0);
      assert.ok(owned.every(({ type, path }) => type === '5' && /^(nectar|run\/nectar)\//.test(path)));
    });

    test(`${role}: runs as its own user, by number, and carries no secret in its environment`, async () => {
      const { image } = await members();
      const { config } = JSON.parse(Buffer.from(image.config).toString('utf8')) as {
        config: { User: string; Env: string[] };
      };
      assert.equal(config.User, `${ROLE_SPECS[role].uid}:${ROLE_SPECS[role].uid}`);
      assert.deepEqual(config.Env, ['PATH=/nodejs/bin', 'NODE_ENV=production', 'NECTAR_SOCKETS=/run/nectar']);
    });

    test(`${role}: holds the code that its role imports, no other service and no package of one`, async () => {
      const { bundle, members: all } = await members();
      const { packages } = npmPackagesOf(bundle);
      assert.deepEqual(
        packages.map(({ name }) => name).filter((name) => FOREIGN[role].test(name)),
        [],
      );
      assert.deepEqual(
        Object.keys(bundle.sources).filter((path) => FOREIGN_SERVICES[role].test(path)),
        [],
      );
      const app = all
        .filter((member) => isFile(member) && member.path.startsWith('app/'))
        .map(({ path }) => path.slice(4));
      assert.deepEqual(app.sort(), [...bundle.files.keys()].sort());
      assert.ok(app.every((path) => !path.endsWith('.map') && !path.endsWith('.ts')));
    });

    test(`${role}: has the licence of everything in it`, async () => {
      const { bundle, members: all } = await members();
      const paths = new Set(all.filter(isFile).map(({ path }) => path.replace(/\/[^/]+$/, '')));
      const { packages } = npmPackagesOf(bundle);
      assert.ok(packages.length > 5);
      for (const { name, version } of packages) assert.ok(paths.has(`licenses/npm/${name}@${version}`), name);
      for (const name of [
        'node',
        'nectar-byon',
        'common',
        'debian/libc6',
        'debian/gcc-12-base',
        'debian/ca-certificates',
      ]) {
        assert.ok(paths.has(`licenses/${name}`), name);
      }
    });
  }

  test('the layers keep to their limits', async () => {
    const sizes = layerSizes(await assembled());
    assert.equal(sizes.length, 1 + ROLES.length);
    assert.deepEqual(checkSizes(sizes), []);
  });
});
