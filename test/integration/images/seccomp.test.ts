import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createImage, createLayer, type Image } from '../../../images/oci.ts';
import { ROLES } from '../../../images/role-specs.ts';
import { readProfile } from '../../../images/seccomp/write.ts';
import { load, noEngine, removeImage, runInContainer } from './engine.ts';
import { type Call, readResults, syscallProbe } from './syscall-probe.ts';

const EPERM = -1;
const ENOSYS = -38;
const HIGHEST_CALL = 462;
/** Would end, suspend or fork the probe itself, whatever the filter says: select, pause, clone, fork, exit, sigreturn, uretprobe... */
const UNASKED = new Set([15, 23, 34, 56, 57, 58, 60, 130, 231, 270, 271, 335, 336, 435]);
/** Zero would mean "strict mode" and "trace me": another harmless argument. */
const FIRST_ARGUMENT: Readonly<Record<number, number>> = { 101: 16, 317: 99 };

const everyCall: readonly Call[] = Array.from({ length: HIGHEST_CALL + 1 }, (_, number) => number)
  .filter((number) => !UNASKED.has(number))
  .map((number) => ({ number, arguments: [FIRST_ARGUMENT[number] ?? 0] }));

const CLONE_NEWUSER = 0x1000_0000;
const SIGCHLD = 17;
const TIOCSTI = 0x5412;
/** What a break-out or a spy would call, by name; x86-64 numbers. */
const FORBIDDEN: Readonly<Record<string, Call>> = {
  ptrace: { number: 101, arguments: [16] },
  unshare: { number: 272, arguments: [CLONE_NEWUSER] },
  setns: { number: 308 },
  mount: { number: 165 },
  umount2: { number: 166 },
  pivot_root: { number: 155 },
  chroot: { number: 161 },
  keyctl: { number: 250 },
  add_key: { number: 248 },
  bpf: { number: 321 },
  perf_event_open: { number: 298 },
  userfaultfd: { number: 323 },
  process_vm_readv: { number: 310 },
  kexec_load: { number: 246 },
  init_module: { number: 175 },
  personality: { number: 135, arguments: [0] },
  mknod: { number: 133 },
  memfd_create: { number: 319 },
  seccomp: { number: 317, arguments: [99] },
  'clone of a user namespace': { number: 56, arguments: [CLONE_NEWUSER | SIGCHLD] },
  'clone of a process': { number: 56, arguments: [SIGCHLD] },
  'clone of a thread into a user namespace': { number: 56, arguments: [CLONE_NEWUSER | 0x10100] },
  fork: { number: 57 },
  vfork: { number: 58 },
  'ioctl TIOCSTI': { number: 16, arguments: [0, TIOCSTI] },
  'socket AF_PACKET': { number: 41, arguments: [17, 3] },
  'socket AF_VSOCK': { number: 41, arguments: [40, 1] },
};
const ABSENT: Readonly<Record<string, Call>> = {
  clone3: { number: 435 },
  io_uring_setup: { number: 425 },
  io_uring_enter: { number: 426 },
};
const INTERNET: Readonly<Record<string, Call>> = {
  'socket AF_INET': { number: 41, arguments: [2, 1] },
  'socket AF_INET6': { number: 41, arguments: [10, 1] },
  'socket AF_NETLINK': { number: 41, arguments: [16, 3] },
};

const skip = noEngine ?? (process.arch === 'x64' ? false : 'the probe is an x86-64 program');

function probeImage(name: string, calls: readonly Call[]): Image {
  const layer = createLayer([{ kind: 'file', path: 'probe', mode: 0o755, content: syscallProbe(calls) }], 0, 'probe');
  const config = {
    User: '65534:65534',
    Env: [],
    Entrypoint: ['/probe'],
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Labels: {},
  };
  return createImage({
    name: `nectar-test-${name}-${process.pid}`,
    tag: 'probe',
    architecture: 'amd64',
    created: 0,
    layers: [layer],
    config,
  });
}

describe('seccomp profiles', { skip }, () => {
  const named = [...Object.entries(FORBIDDEN), ...Object.entries(ABSENT), ...Object.entries(INTERNET)];
  const all = probeImage('all', everyCall);
  const some = probeImage(
    'some',
    named.map(([, call]) => call),
  );

  const probe = async (image: Image, calls: number, seccomp?: string): Promise<number[]> => {
    const options = { image: image.id, entrypoint: ['/probe'], ...(seccomp !== undefined && { seccomp }) };
    const { stdout, stderr, status } = await runInContainer(options);
    assert.equal(status, 0, stderr);
    const results = readResults(stdout);
    assert.equal(results.length, calls);
    return results;
  };

  before(() => load([all, some]));
  after(async () => {
    for (const { name, tag } of [all, some]) await removeImage(`${name}:${tag}`);
  });

  for (const role of ROLES) {
    test(`${role}: denies what a break-out needs, sees no clone3 and no io_uring`, async () => {
      const results = await probe(some, named.length, readProfile(role));
      const answers = Object.fromEntries(named.map(([name], index) => [name, results[index]]));
      for (const name of Object.keys(FORBIDDEN)) assert.equal(answers[name], EPERM, name);
      for (const name of Object.keys(ABSENT)) assert.equal(answers[name], ENOSYS, name);
      const online = role === 'gateway' || role === 'rollup';
      for (const name of Object.keys(INTERNET))
        assert.equal(answers[name] === EPERM, !online, `${name}: ${answers[name]}`);
    });

    test(`${role}: allows no call that the engine's own profile denies`, async () => {
      const [theirs, ours] = [
        await probe(all, everyCall.length),
        await probe(all, everyCall.length, readProfile(role)),
      ];
      const wider = everyCall.filter(
        (_, index) => theirs[index] === EPERM && ![EPERM, ENOSYS].includes(ours[index] ?? 0),
      );
      assert.deepEqual(wider, []);
      const denied = (results: readonly number[]): number => results.filter((result) => result === EPERM).length;
      assert.ok(denied(ours) > denied(theirs) + 100, `${denied(ours)} denied, ${denied(theirs)} by the engine's own`);
    });
  }
});
