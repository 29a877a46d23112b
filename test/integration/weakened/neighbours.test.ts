import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { VERSION } from '../../../cli/version.ts';
import { collectFacts } from '../../../hardening/collectors/collector.ts';
import { createHostCollector } from '../../../hardening/collectors/host.ts';
import { openHostFiles } from '../../../hardening/collectors/host-files.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { verdictsOf } from './weakening.ts';

/** Of no account of any machine. */
const STRANGER = 51_217;
const OWNER = { uid: 51_218, gid: 51_219 };

/** What is so of the whole machine is asked for by one's own stranger: other tests, and the machine, have theirs. */
async function look(): Promise<{ facts: FactSet; named: readonly string[] }> {
  const host = createHostCollector(
    { dataFolder: undefined, engineFolder: undefined, owner: OWNER },
    { host: openHostFiles() },
  );
  const { signal } = new AbortController();
  const tool = { name: 'nectar-byon', version: VERSION };
  const node = { id: '0', target: 'process', network: '' };
  const facts = await collectFacts([host], { tool, node, now: Date.now, signal });
  const [subject] = facts.subjects;
  const values = ['host.rulingProcesses', 'host.groupGuests'].flatMap((fact) => {
    const seen = subject?.facts[fact as 'host.groupGuests'];
    assert.ok(seen !== undefined && 'value' in seen, JSON.stringify(seen));
    return seen.value as string[];
  });
  return { facts, named: values.filter((text) => text.includes(`uid ${STRANGER}`)) };
}

/** A program of another account, with rights that root gave it. */
async function neighbour(t: TestContext, rights: readonly string[]): Promise<() => Promise<void>> {
  const program = ['sh', '-c', 'echo up; exec sleep 600'];
  const child = spawn('setpriv', ['--reuid', String(STRANGER), ...rights, ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  t.after(stop);
  await once(child.stdout, 'data');
  return stop;
}

test('names a process that another account runs with a capability over every file, while it runs', async (t) => {
  assert.deepEqual((await look()).named, []);
  const rights = ['--regid', String(STRANGER), '--clear-groups'];
  const stop = await neighbour(t, [...rights, '--inh-caps', '+dac_override', '--ambient-caps', '+dac_override']);
  const { facts, named } = await look();
  assert.deepEqual(
    named.map((text) => text.replace(/^(sh|sleep) /, '')),
    [`(uid ${STRANGER}: DAC_OVERRIDE)`],
  );
  assert.equal(verdictsOf(facts)['BYON-HST-044'], 'fail');
  await stop();
  assert.deepEqual((await look()).named, []);
});

test("names a process that another account runs in the group of the node's folder, while it runs", async (t) => {
  const stop = await neighbour(t, ['--regid', String(STRANGER), '--groups', String(OWNER.gid)]);
  const { facts, named } = await look();
  assert.deepEqual(
    named.map((text) => text.replace(/^(sh|sleep) /, '')),
    [`(uid ${STRANGER})`],
  );
  assert.equal(verdictsOf(facts)['BYON-HST-045'], 'fail');
  await stop();
  assert.deepEqual((await look()).named, []);
});
