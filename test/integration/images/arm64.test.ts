import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBaseInputs } from '../../../images/base-lock.ts';
import { parseElfNeeds } from '../../../images/elf.ts';
import { assembleImages } from '../../../images/role-image.ts';
import { ROLES } from '../../../images/role-specs.ts';
import { isFile, membersOf } from './assembled.ts';

/** e_machine of the ELF header (System V ABI for the Arm 64-bit architecture). */
const EM_AARCH64 = 183;

test('images for arm64 are assembled on any machine, as locked, and hold nothing of another processor', async () => {
  const set = await assembleImages('arm64', ROLES);
  assert.equal(set.base.id, readBaseInputs('arm64').digests.image);
  for (const { role, image } of set.roles) {
    const config = JSON.parse(Buffer.from(image.config).toString()) as { architecture: string };
    assert.equal(config.architecture, 'arm64', role);
    const members = membersOf(image);
    const paths = new Set(members.map(({ path }) => path));
    const programs = members
      .filter(isFile)
      // Of the disputed machine, which no processor runs as it is.
      .filter(({ path }) => path !== 'app/dispute.elf')
      .filter(({ content }) => content.length > 20 && Buffer.from(content).readUInt32BE(0) === 0x7f454c46);
    assert.ok(programs.length > 5, `${role}: ${programs.length} programs and libraries`);
    for (const { path, content } of programs) {
      assert.equal(Buffer.from(content).readUInt16LE(18), EM_AARCH64, `${role}: ${path}`);
      const { interpreter, needed } = parseElfNeeds(content);
      if (interpreter !== undefined && path.endsWith('/node')) assert.ok(paths.has(interpreter.slice(1)), interpreter);
      for (const name of needed)
        assert.ok(
          [...paths].some((found) => found.endsWith(`/${name}`)),
          `${role}: ${path} needs ${name}`,
        );
    }
  }
  const has = (role: string): Set<string> =>
    new Set(set.roles.flatMap((built) => (built.role === role ? membersOf(built.image).map(({ path }) => path) : [])));
  assert.ok(has('store').has('app/native/classic-level.node'));
  for (const file of ['machine.wasm', 'dispute.elf', 'poseidon2.wasm', 'tracer-worker.mjs'])
    assert.ok(has('rollup').has(`app/${file}`), file);
  assert.ok(
    has('rollup').has('app/native/secp256k1.wasm'),
    'the addon has no build for arm64: WebAssembly does its work',
  );
});
