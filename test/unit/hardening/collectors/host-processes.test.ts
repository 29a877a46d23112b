import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostFiles } from '../../../../hardening/collectors/host-files.ts';
import { observeProcesses } from '../../../../hardening/collectors/host-processes.ts';

const OWNER = { uid: 1000, gid: 1000 };
const WHOLE = '         0          0 4294967295\n';
const { signal } = new AbortController();

interface Process {
  readonly name?: string;
  readonly uid: number;
  readonly gid?: number;
  readonly groups?: string;
  readonly capabilities?: string;
  readonly map?: string;
}

const status = ({ name = 'agent', uid, gid = uid, groups = '', capabilities = '0' }: Process): string =>
  `Name:\t${name}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${gid}\t${gid}\t${gid}\t${gid}\nGroups:\t${groups} \nCapEff:\t${capabilities}\n`;
const INIT: Process = { name: 'systemd', uid: 0, capabilities: '1ffffffffff' };
const PTRACE = '80000';
const NET_RAW = '2000';

function machine(processes: Readonly<Record<string, Process | Error | undefined>>): HostFiles {
  const files = new Map<string, string | Error>([['/proc/self/uid_map', WHOLE]]);
  for (const [pid, one] of Object.entries(processes)) {
    if (one === undefined) continue;
    files.set(`/proc/${pid}/status`, one instanceof Error ? one : status(one));
    files.set(`/proc/${pid}/uid_map`, one instanceof Error ? one : (one.map ?? WHOLE));
  }
  return {
    list: async () => [...Object.keys(processes), 'self', 'meminfo'],
    read: async (path) => {
      const found = files.get(path);
      if (found instanceof Error) throw found;
      return found === undefined ? undefined : Buffer.from(found);
    },
    device: () => assert.fail('no device is asked for'),
    run: () => assert.fail('no program is run'),
  };
}

const seen = async (processes: Parameters<typeof machine>[0]) => observeProcesses(machine(processes), OWNER, signal);

test('names a process of another account with a capability that reaches into others, and leaves root out', async () => {
  const found = await seen({
    1: INIT,
    20: { name: 'net\u001bdata', uid: 997, capabilities: PTRACE },
    21: { name: 'ping', uid: 1001, capabilities: NET_RAW },
    22: { uid: 1002 },
  });
  assert.deepEqual(found['host.rulingProcesses'], { value: ['net?data (uid 997: SYS_PTRACE)'] });
});

test('leaves a process out that has its capabilities in another user namespace', async () => {
  const inside = { uid: 1001, capabilities: '1ffffffffff', map: '         0     100000      65536\n' };
  assert.deepEqual((await seen({ 1: INIT, 30: inside }))['host.rulingProcesses'], { value: [] });
  const outside = { ...inside, map: WHOLE };
  assert.match(
    JSON.stringify((await seen({ 1: INIT, 30: outside }))['host.rulingProcesses']),
    /agent \(uid 1001: .*BPF/,
  );
});

test("names a process of another account with the group of the node's folder, as its own group or another", async () => {
  const found = await seen({
    1: INIT,
    40: { name: 'node', uid: 1000 },
    41: { name: 'nginx', uid: 33, gid: 1000 },
    42: { name: 'backup', uid: 34, groups: '4 1000' },
    43: { name: 'cron', uid: 35, groups: '10000' },
  });
  assert.deepEqual(found['host.groupGuests'], { value: ['backup (uid 34)', 'nginx (uid 33)'] });
});

test('passes over a process that ended while it was looked at', async () => {
  const ended = Object.assign(new Error('no such process'), { code: 'ESRCH' });
  assert.deepEqual((await seen({ 1: INIT, 50: ended, 51: undefined }))['host.rulingProcesses'], { value: [] });
});

test('is an error, never an empty list, where processes are hidden or cannot be read', async () => {
  const hidden = await seen({ 50: { uid: 1000 } });
  const denied = await seen({ 1: INIT, 50: Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }) });
  const odd = await seen({ 1: INIT, 50: { uid: 1001, capabilities: 'all' } });
  for (const found of [hidden, denied, odd]) {
    for (const observation of Object.values(found)) assert.ok('error' in observation, JSON.stringify(observation));
  }
  assert.match(JSON.stringify(hidden), /hidepid/);
});
