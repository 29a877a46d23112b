import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDevelopmentSrs, SRS_POINTS } from '../../../../../appliance/rollup/prove/development-srs.ts';
import { type PinnedSrs, pinSrs, SRS_FILES, verifySrs } from '../../../../../appliance/rollup/prove/srs.ts';
import { createStepProver, type StepProver } from '../../../../../appliance/rollup/prove/step-prover.ts';
import { isNectarError, type NectarError } from '../../../../../protocol/errors.ts';
import { bbProgram, renderStepHonk } from '../../../../../scripts/step-honk.ts';
import { stepOf } from '../../../circuits/random-step.ts';
import { makeStep } from '../../../circuits/step-circuit.ts';

const circuit = fileURLToPath(new URL('../../../../../circuits/generated/step.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nectar-step-prover-'));
const pinned: { -readonly [Name in keyof PinnedSrs]: PinnedSrs[Name] } = { sha256: '0x', isDevelopment: true };
const step = () => makeStep(stepOf(0x0220_c1b3, { 1: 0xffff_ff9c, 2: 7 }));

before(() => {
  // Where the prover has its own folders.
  process.env.TMPDIR = folder;
  const srs = createDevelopmentSrs(randomBytes);
  assert.equal(srs.g1.length, SRS_POINTS * 64);
  writeFileSync(join(folder, SRS_FILES.g1), srs.g1);
  writeFileSync(join(folder, SRS_FILES.g2), srs.g2);
  pinned.sha256 = pinSrs(srs);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function prover(change: Partial<Parameters<typeof createStepProver>[0]> = {}): StepProver {
  return createStepProver({ bb: bbProgram(), circuit, srs: folder, pinned, isDevnet: true, ...change });
}

const failsFor =
  (words: RegExp) =>
  (error: unknown): boolean =>
    isNectarError(error, 'ROLLUP_PROOF_FAILED') && words.test((error as NectarError).message);
const isSrsRefusal = (error: unknown): boolean => isNectarError(error, 'ROLLUP_SRS_INVALID');

/** A program in bb's place. */
function program(text: string): string {
  const path = join(folder, 'bb.sh');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('the prover of a step', () => {
  it('proves steps, the second by the key of the first, and leaves nothing behind', async () => {
    const made = prover();
    const [one, two] = [await made.prove(step()), await made.prove(step())];
    assert.equal(one.length, 8000);
    // Zero knowledge: the same step has another proof each time.
    assert.notDeepEqual(one, two);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('nectar-proof-')),
      [],
    );
  });
  it('has the key that the contract is given for the string', async () => {
    const at = mkdtempSync(join(tmpdir(), 'nectar-step-key-'));
    try {
      symlinkSync(folder, join(at, 'crs'));
      const { key } = renderStepHonk({ program: bbProgram(), circuit, folder: at });
      assert.equal(`0x${Buffer.from(await prover().key()).toString('hex')}`, key);
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  });
  it('says of a step that is none that it is not what the machine does', async () => {
    const { publicInputs, opening } = step();
    const other = publicInputs.map((value, at) => (at === 1 ? value + 1n : value));
    await assert.rejects(prover().prove({ publicInputs: other, opening }), failsFor(/not what the machine does/));
  });
  it('refuses what is no field element before ACVM sees it', async () => {
    const { publicInputs, opening } = step();
    for (const value of [-1n, 1n << 256n, (1n << 255n) + 1n]) {
      const other = publicInputs.map((input, at) => (at === 1 ? value : input));
      await assert.rejects(prover().prove({ publicInputs: other, opening }), failsFor(/no field element/));
    }
  });
  it('says what bb said', async () => {
    const bb = program('cat >/dev/null; echo the disk is full >&2; exit 3');
    await assert.rejects(prover({ bb }).prove(step()), failsFor(/bb ended with 3: the disk is full/));
  });
  it('ends a bb that does not end', async () => {
    const bb = program('sleep 1000');
    await assert.rejects(prover({ bb, timeoutMs: 3000 }).prove(step()), failsFor(/more than 3000 ms/));
  });
  it('ends with the signal, before and during the run', async () => {
    await assert.rejects(prover().prove(step(), AbortSignal.abort(new Error('stopped before'))), /stopped before/);
    const stop = new AbortController();
    const started = join(folder, 'started');
    const proving = prover({ bb: program(`touch ${started}; sleep 1000`) }).prove(step(), stop.signal);
    const ended = assert.rejects(proving, /stopped during/);
    while (!existsSync(started)) await setTimeout(20);
    stop.abort(new Error('stopped during'));
    await ended;
  });
  it('says of a program and of a circuit that are not there or others which', () => {
    assert.throws(() => prover({ bb: join(folder, 'none') }), failsFor(/no program/));
    assert.throws(() => prover({ circuit: join(folder, SRS_FILES.g2) }), failsFor(/circuit's SHA-256/));
  });
});

describe('the string of a network', () => {
  it('is refused when it is a development one and the network is not', () => {
    verifySrs(folder, { pinned, isDevnet: true });
    assert.throws(() => verifySrs(folder, { pinned, isDevnet: false }), isSrsRefusal);
  });
  it('is refused when it is another, shorter, or not there', () => {
    const other = mkdtempSync(join(tmpdir(), 'nectar-srs-'));
    try {
      const check = () => verifySrs(other, { pinned, isDevnet: true });
      assert.throws(check, isSrsRefusal);
      writeFileSync(join(other, SRS_FILES.g1), new Uint8Array(SRS_POINTS * 64));
      writeFileSync(join(other, SRS_FILES.g2), new Uint8Array(127));
      assert.throws(check, isSrsRefusal);
      writeFileSync(join(other, SRS_FILES.g2), new Uint8Array(128));
      assert.throws(check, isSrsRefusal);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });
});
