/** Regenerates every generated file, or with `check` proves each one fresh (CI). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const check = process.argv[2] === 'check';
const run = (script: string, ...args: string[]): void => {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

run('lockfile.ts', ...(check ? ['check'] : []));
run('third-party.ts', ...(check ? ['check'] : []));
run('vex.ts', ...(check ? ['check'] : []));
run('contracts.ts', check ? 'check' : 'build');
// Compiling it takes a Rust toolchain and minutes: `node scripts/machine.ts build`, by hand.
run('machine.ts', 'check');
run('circuit.ts', check ? 'check' : 'build');
run('errors-doc.ts', ...(check ? ['check'] : []));
run('reference-doc.ts', ...(check ? ['check'] : []));
run('log-messages.ts', ...(check ? ['check'] : []));
run('checks-doc.ts', ...(check ? ['check'] : []));
run('hardening-report-schema.ts', ...(check ? ['check'] : []));
run('chart.ts', ...(check ? ['check'] : []));
process.stdout.write(check ? 'generated files are fresh\n' : 'generated\n');
