import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Contract, type EventLog, JsonRpcProvider, toQuantity, Wallet } from 'ethers';
import { RollupAbi } from '../../contracts/generated/Rollup.ts';
import { SystemConfigAbi } from '../../contracts/generated/SystemConfig.ts';
import { createSteps } from './steps.ts';
import { until, Workplace } from './workplace.ts';

/**
 * A dispute between two nodes as `init` leaves them, over libp2p and the devnet's L1. The honest one is the product; it is stopped for
 * ever at three places by a patch (dispute/hooks.ts), killed there, and goes on. The liar is the product with a patch that lies.
 */
const work = new Workplace();
const [honest, liar] = [work.path('honest'), work.path('liar')];
const MARK = work.path('mark');
const HOOKS = fileURLToPath(new URL('./dispute/hooks.ts', import.meta.url));
const step = createSteps(false);
const VALIDATOR = { NECTAR_ROLLUP_VALIDATOR_ENABLED: 'true', NECTAR_ROLLUP_VALIDATOR_POLL_MS: '500' };
const ETHER = 10n ** 18n;
/** Real seconds for one of L1's while the two have to meet: a rival may come 30 of L1's after the first, on any machine. */
const SLOWER = 4;
/** More than the joining window and the grace after a death, in seconds. */
const WAIT_S = 5 * 86_400;
/** NodeStatus of RollupTypes.sol. */
const [CONFIRMED, DEAD] = [3, 2];

let l1: JsonRpcProvider | undefined;
let rollup: Contract | undefined;
const running = new Map<string, ChildProcess>();

after(async () => {
  for (const child of running.values()) child.kill('SIGKILL');
  l1?.destroy();
  for (const home of [honest, liar]) if (existsSync(home)) await work.run(['destroy', '--yes', '--home', home]);
  await work.run(['devnet', 'down']);
  work.remove();
});

/** The program of a home, changed by a patch. */
function start(home: string, patch: string): ChildProcess {
  const [node = '', ...args] = work.commandLine(['run', 'all', '--home', home, '--json']);
  const log = openSync(`${home}/logs/patched.log`, 'a');
  const env = { ...work.env, ...VALIDATOR, NECTAR_TEST_PATCH: patch, NECTAR_TEST_MARK: MARK };
  const child = spawn(node, ['--import', HOOKS, ...args], { cwd: home, env, stdio: ['ignore', log, log] });
  closeSync(log);
  running.set(home, child);
  return child;
}

/** Until a validator stops at the patch's place; then it is killed there. */
async function killAt(patch: string, also?: ChildProcess): Promise<void> {
  const child = start(honest, patch);
  await until(`the honest node to come to "${patch}"`, () => existsSync(MARK) || undefined).catch(explain);
  for (const one of [child, also]) {
    if (one === undefined) continue;
    one.kill('SIGKILL');
    await new Promise((resolve) => one.once('exit', resolve));
  }
  rmSync(MARK);
}

async function explain(error: Error): Promise<never> {
  const texts = [error.message];
  for (const path of [`${honest}/logs/patched.log`, `${honest}/logs/node.log`, `${liar}/logs/patched.log`])
    if (existsSync(path)) texts.push(path, readFileSync(path, 'utf8').split('\n').slice(-30).join('\n'));
  texts.push((await work.run(['dispute', 'list', '--json', '--home', honest])).stdout);
  throw new Error(texts.join('\n'), { cause: error });
}

/** Pays a node's account on L1 and puts it on the list of validators, as the network's steward does. */
async function admit(home: string): Promise<void> {
  const { operator } = await work.json<{ operator: string }>(['network', 'status', '--home', home]);
  assert.ok(l1 && rollup);
  await l1.send('anvil_setBalance', [operator, toQuantity(20n * ETHER)]);
  const steward = new Wallet(readFileSync(work.path('devnet', 'keys', 'validator.key'), 'utf8').trim(), l1);
  const config = new Contract(await rollup.getFunction('systemConfig')(), [...SystemConfigAbi], steward);
  await (await config.getFunction('addValidator').send(operator)).wait();
}

interface Asserted {
  readonly parent: string;
  /** By the first digits of its block hash. */
  readonly isLie: boolean;
  readonly status: number;
}

async function assertions(): Promise<readonly Asserted[]> {
  assert.ok(rollup);
  const made = await rollup.queryFilter(rollup.getEvent('NodeCreated'));
  const found = [];
  for (const log of made) {
    const { nodeId, parent, state } = (log as EventLog).args as unknown as Created;
    const { status } = await rollup.getFunction('nodeOf')(nodeId);
    found.push({ parent, isLie: state.blockHash.startsWith('0x66'), status: Number(status) });
  }
  return found;
}

/** Lies beside a truth: what stands on a lie dies with it, and nobody has to take it away. */
async function rivals(): Promise<readonly Asserted[]> {
  const all = await assertions();
  return all.filter(({ isLie, parent }) => isLie && all.some((other) => !other.isLie && other.parent === parent));
}

interface Created {
  readonly nodeId: string;
  readonly parent: string;
  readonly state: { readonly blockHash: string };
}

interface Network {
  readonly endpoints: { readonly l1Rpc: readonly string[] };
  readonly l1: { readonly rollup: string };
}

step('two nodes as init leaves them are put on the list of validators', async () => {
  const env = { NECTAR_ROLLUP_VALIDATOR_ENABLED: 'false' };
  // The devnet's own validator would play too: it is off, since its process is started by this init.
  for (const home of [honest, liar]) assert.equal((await work.run(['init', '--yes', '--home', home], { env })).code, 0);
  const network = JSON.parse(readFileSync(`${honest}/network.json`, 'utf8')) as Network;
  l1 = new JsonRpcProvider(network.endpoints.l1Rpc[0], undefined, { staticNetwork: true, cacheTimeout: -1 });
  rollup = new Contract(network.l1.rollup, [...RollupAbi], l1);
  assert.deepEqual(await assertions(), []);
  for (const home of [honest, liar]) await admit(home);
  for (const home of [honest, liar]) assert.equal((await work.run(['down', '--home', home])).code, 0);
  await l1.send('anvil_setBlockTimestampInterval', [1]);
  await l1.send('evm_setIntervalMining', [SLOWER]);
});

step('the honest node, killed in the middle of a trace, opens the dispute again', async () => {
  start(liar, 'liar');
  await killAt('trace');
  assert.equal((await rivals()).length, 1, 'both have asserted');
});

step('killed when a message of the liar is on its disk, it answers that message after the restart', () =>
  killAt('stored'),
);

step('killed between its proof and the receipt, it finds the stake of the liar gone', async () => {
  // The liar would stake and lie again as soon as it has lost: it ends with its first stake.
  await killAt('sent', running.get(liar));
  assert.equal((await work.run(['up', '--home', honest], { env: VALIDATOR })).code, 0);
  await until(
    'the lie to be dead',
    async () => (await rivals()).every(({ status }) => status === DEAD) || undefined,
  ).catch(explain);
});

step('the truth is confirmed, and the audit log has the dispute', async () => {
  assert.ok(l1);
  await l1.send('anvil_removeBlockTimestampInterval', []);
  // Days for who would join, and for the dead to be missed: the constants of the contract, on a devnet too.
  await l1.send('evm_increaseTime', [WAIT_S]);
  await l1.send('evm_setIntervalMining', [1]);
  await until(
    'the truth to be confirmed',
    async () => (await assertions()).some(({ isLie, status }) => !isLie && status === CONFIRMED) || undefined,
  ).catch(explain);
  assert.ok((await rivals()).every(({ status }) => status === DEAD));
  const query = ['audit', 'query', '--type', 'challenge.message', '--home', honest];
  const { entries } = await work.json<{ entries: readonly object[] }>(query);
  for (const direction of ['received', 'signed']) assert.ok(JSON.stringify(entries).includes(direction), direction);
});
