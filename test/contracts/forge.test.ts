import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/contracts.ts', import.meta.url));

/** Runs scripts/contracts.ts and shows what it printed when it fails. */
function contracts(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, `contracts.ts ${args.join(' ')} exited ${status}\n${stdout}${stderr}`);
}

test('the contracts pass their unit, fuzz and invariant tests', () => contracts('test'));

test('the generated ABIs, bytecodes and storage layouts are those of the sources', () => contracts('check'));

test('the gas of every plain contract test is that of the snapshot', () => contracts('gas', '--check'));
