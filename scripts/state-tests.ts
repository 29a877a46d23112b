/**
 * Runs official GeneralStateTests (ethereum/tests, execution-spec-tests) through the machine that the node runs.
 *
 *   npm run test:state -- FOLDER     every .json below FOLDER; prints what differs and `N passed, N failed`; exits 1 on a difference.
 *                                    A second argument is another machine.wasm to run them through
 */
import { existsSync, readFileSync } from 'node:fs';
import { runStateTests, stateTestFiles } from '../test/vectors/machine-state-test.ts';

const [folder, wasm] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write('usage: npm run test:state -- FOLDER (of GeneralStateTests in JSON)\n');
  process.exit(2);
}
const { passed, failed } = runStateTests(folder, stateTestFiles(folder), wasm && readFileSync(wasm));
for (const line of failed) process.stdout.write(`${line}\n`);
process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
// A folder without a test of a fork that the machine has proves nothing.
process.exitCode = failed.length > 0 || passed === 0 ? 1 : 0;
