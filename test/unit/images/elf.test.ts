import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseElfNeeds } from '../../../images/elf.ts';
import { syscallProbe } from '../../integration/images/syscall-probe.ts';

const skip = process.platform === 'linux' ? false : 'ELF is what Linux runs';

test('names the loader and the libraries of a program', { skip }, () => {
  const { interpreter, needed } = parseElfNeeds(readFileSync(process.execPath));
  assert.match(interpreter ?? '', /\/ld-linux-/);
  assert.ok(needed.includes('libc.so.6') && needed.includes('libstdc++.so.6'), needed.join(' '));
});

test('a program without libraries needs none', () => {
  assert.deepEqual(parseElfNeeds(syscallProbe([{ number: 39 }])), { interpreter: undefined, needed: [] });
});

test('refuses what is not a 64-bit little-endian ELF file', () => {
  assert.throws(() => parseElfNeeds(Buffer.from('#!/bin/sh\n')), /not a 64-bit/);
  assert.throws(() => parseElfNeeds(new Uint8Array(64)), /not a 64-bit/);
  const thirtyTwo = Buffer.from(syscallProbe([]));
  thirtyTwo[4] = 1;
  assert.throws(() => parseElfNeeds(thirtyTwo), /not a 64-bit/);
});
