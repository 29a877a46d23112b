/**
 * Weakens the contracts, one rule at a time, in a copy, and runs the forge tests on each: what no test notices is listed.
 *
 * node test/contracts/mutants/main.ts [--only TEXT]     some 15 s for each, of a processor
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTRACT_MUTANTS } from './list.ts';
import type { ContractMutant } from './weaken.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Plain tests find most; a few random runs find the rest, and a hundred mutants take hours with all of them. */
const FEW = { FOUNDRY_FUZZ_RUNS: '16', FOUNDRY_INVARIANT_RUNS: '4', FOUNDRY_INVARIANT_DEPTH: '24' };
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });

function copyOfContracts(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-mutants-'));
  for (const part of ['contracts/src', 'contracts/honk', 'test/contracts', 'scripts/solc', 'foundry.toml']) {
    mkdirSync(dirname(join(folder, part)), { recursive: true });
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function forgeTest(folder: string, paths: string): { readonly failed: boolean; readonly why: string } {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const forge = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${platform}/bin/forge`);
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`;
  const args = ['test', '--fail-fast', '--match-path', paths];
  const { status, stdout, stderr } = spawnSync(forge, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, FOUNDRY_DENY: 'never', ...FEW },
  });
  const lines = `${stdout}\n${stderr}`.split('\n');
  const why = lines.find((line) => /^\[FAIL|^Error/.test(line)) ?? '';
  return { failed: status !== 0, why };
}

/** The tests that are about a file. */
function testsOf({ file }: ContractMutant): string {
  if (file.startsWith('l2/storage')) return 'test/contracts/StorageDeals*';
  return file.startsWith('l1/dispute')
    ? 'test/contracts/{dispute/*,BothStep*}'
    : 'test/contracts/{Rollup*,L1*,Outbox*,dispute/*}';
}

function main(): number {
  const folder = copyOfContracts();
  const alive: string[] = [];
  try {
    for (const mutant of CONTRACT_MUTANTS.filter(({ rule, file }) => `${file} ${rule}`.includes(values.only))) {
      const path = join(folder, 'contracts/src', mutant.file);
      const source = readFileSync(path, 'utf8');
      if (source.split(mutant.from).length !== 2) throw new Error(`${mutant.file} has "${mutant.from}" not once`);
      writeFileSync(
        path,
        source.replace(mutant.from, () => mutant.to),
      );
      const { failed, why } = forgeTest(folder, testsOf(mutant));
      writeFileSync(path, source);
      const isBroken = /compil|Compiler|Error \(/i.test(why);
      const verdict = isBroken ? 'DOES NOT COMPILE' : failed ? 'found' : 'NOT FOUND';
      process.stdout.write(`${verdict}: ${mutant.file}: ${mutant.rule} ${why.slice(0, 120)}\n`);
      if (!failed || isBroken) alive.push(`${mutant.file}: ${mutant.rule}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${CONTRACT_MUTANTS.length} mutants, ${alive.length} that no test found\n`);
  return alive.length === 0 ? 0 : 1;
}

process.exitCode = main();
