import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hasPseudoTerminals, PersonAtTerminal } from '../e2e/pseudo-terminal.ts';
import { until, Workplace } from '../e2e/workplace.ts';

const skip = hasPseudoTerminals ? false : 'no script(1) of util-linux here';
const workplace = new Workplace();
const home = workplace.path('data', 'nectar-byon', 'node');
const { NECTAR_DEVNET_HOME: devnet = '' } = workplace.env;

after(async () => {
  await workplace.run(['down', '--home', home]);
  await workplace.run(['devnet', 'down']);
  workplace.remove();
});

/** Processes that have a folder of this workplace in their arguments. */
function running(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(path));
}

/** What an interrupted `init` may leave of a node: nothing. */
function assertNothingOfTheNode(shown: string): void {
  assert.equal(existsSync(home), false, shown);
  const beside = existsSync(workplace.path('data', 'nectar-byon'))
    ? readdirSync(workplace.path('data', 'nectar-byon'))
    : [];
  assert.deepEqual(beside, [], shown);
  assert.deepEqual(running(`run all --home ${home}`), [], shown);
  const keys = workplace.path('config', 'nectar-byon');
  assert.deepEqual(existsSync(keys) ? readdirSync(keys) : [], [], shown);
}

/** Presses Ctrl-C when a step shows; false when the command was done before it heard that, which a slow machine may bring about. */
async function isInterruptedAt(
  step: string,
  args: readonly string[],
): Promise<{ interrupted: boolean; shown: string }> {
  const person = new PersonAtTerminal(workplace, args);
  assert.ok(await person.sees(step), person.shown());
  person.pressCtrlC();
  const code = await person.ends();
  const shown = person.shown();
  assert.ok(code === 130 || code === 0, `${code}: ${shown}`);
  assert.doesNotMatch(shown, /CLI_INTERNAL/);
  assert.ok(!person.hidesCursor(), 'the cursor is back');
  return { interrupted: code === 130, shown };
}

/** With its key file, which stays otherwise, so that the next look finds what the next init leaves. */
async function removeNode(): Promise<void> {
  await workplace.json(['destroy', '--yes', '--home', home]);
  rmSync(workplace.path('config', 'nectar-byon'), { recursive: true, force: true });
}

describe('devnet up, interrupted', { skip }, () => {
  for (const step of [
    'starting the development L1',
    'deploying the L1 contracts',
    'describing the network',
    'starting the sequencer',
  ]) {
    test(`while it shows "${step}": nothing of it runs`, async () => {
      const { interrupted } = await isInterruptedAt(step, ['devnet', 'up']);
      if (interrupted) assert.deepEqual(running(devnet), []);
      else await workplace.json(['devnet', 'down']);
    });
  }
});

describe('init, interrupted', { skip }, () => {
  before(() => workplace.json(['devnet', 'up']));

  for (const step of [
    'bringing up the devnet',
    'making the root key',
    'making the identities',
    'making the certificates',
    'making the access token',
    'making the configuration',
    'starting the node',
    'waiting until it is ready',
    'joining the network',
    'applying to the node registry',
  ]) {
    test(`while it shows "${step}": nothing of the node is left`, async () => {
      const { interrupted, shown } = await isInterruptedAt(step, ['init', '--yes', '--home', home]);
      if (!interrupted) return removeNode();
      assertNothingOfTheNode(shown);
      assert.doesNotMatch(shown, /ready at/);
    });
  }

  test('by a closed window: nothing of the node is left', async () => {
    const person = new PersonAtTerminal(workplace, ['init', '--yes', '--home', home]);
    assert.ok(await person.sees('making the certificates'), person.shown());
    person.closeWindow();
    await until('init to have ended', async () =>
      running(`init --yes --home ${home}`).length === 0 ? true : undefined,
    );
    if (existsSync(home)) await removeNode();
    else assertNothingOfTheNode(person.shown());
  });

  test('twice: it ends at once, and the next init clears away what is left', async () => {
    const person = new PersonAtTerminal(workplace, ['init', '--yes', '--home', home]);
    assert.ok(await person.sees('making the root key'), person.shown());
    person.type('\x03\x03');
    assert.equal(await person.ends(), 130, person.shown());
    assert.ok(!person.hidesCursor(), 'the cursor is back');
  });

  test('not at all: what was typed while it worked shows nowhere', async () => {
    const person = new PersonAtTerminal(workplace, ['init', '--yes', '--home', home]);
    assert.ok(await person.sees('making keys'), person.shown());
    person.type('typed too early\r');
    assert.equal(await person.ends(), 0, person.shown());
    assert.doesNotMatch(person.shown(), /typed too early/);
    const beside = readdirSync(join(home, '..')).filter((name) => name.includes('partial'));
    assert.deepEqual(beside, []);
  });
});

describe('work on a node that is there, interrupted', { skip }, () => {
  for (const step of ['looking at the node', 'looking: plaintext', 'looking: files']) {
    test(`harden, while it shows "${step}": no record of its own is left`, async () => {
      await isInterruptedAt(step, ['harden', '--home', home]);
      const listed = await workplace.run(['ls', '--json', '--home', home]);
      assert.deepEqual([listed.code, JSON.parse(listed.stdout)], [0, { records: [] }], listed.stderr);
    });
  }

  test('put, in the middle of a file: the same command stores it', async () => {
    const file = workplace.path('large.bin');
    writeFileSync(file, Buffer.alloc(96 * 1024 * 1024, 7));
    await isInterruptedAt('%', ['put', file, '--home', home]);
    const [stored] = await workplace.lines<{ recordId: string }>(['put', file, '--home', home]);
    assert.match(stored?.recordId ?? '', /^[0-9a-f]{32}$/);
    const out = workplace.path('large.out');
    await isInterruptedAt('%', ['get', stored?.recordId ?? '', '-o', out, '--home', home]);
    const again = await workplace.run(['get', stored?.recordId ?? '', '-o', out, '--force', '--home', home]);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(readFileSync(out).equals(readFileSync(file)));
  });

  test('up, while it waits: it says that the node goes on, and how to look and to stop it', async () => {
    await workplace.json(['down', '--home', home]);
    const { interrupted, shown } = await isInterruptedAt('waiting until it is ready', ['up', '--home', home]);
    if (interrupted)
      assert.match(shown, /the node starts without this command[\s\S]*nectar-byon status[\s\S]*nectar-byon down/);
    assert.equal(running(`run all --home ${home}`).length, 1);
  });
});
