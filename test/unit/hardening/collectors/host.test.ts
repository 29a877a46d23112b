import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createHostCollector } from '../../../../hardening/collectors/host.ts';
import { type HostFiles, openHostFiles } from '../../../../hardening/collectors/host-files.ts';
import { FACTS } from '../../../../hardening/facts/index.ts';
import { collect, valuesOf } from './facts-of.ts';

const SECURE_BOOT = 'sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
const mount = (device: string, point: string, source: string, type = 'ext4'): string =>
  `30 1 ${device} / ${point} rw,relatime shared:1 - ${type} ${source} rw`;

/** A careful machine: LUKS under LVM under the data, a firewall, everything switched on. */
const GOOD: Readonly<Record<string, string>> = {
  'proc/sys/kernel/osrelease': '6.12.5-amd64\n',
  'proc/sys/kernel/randomize_va_space': '2\n',
  'proc/sys/kernel/kptr_restrict': '1\n',
  'proc/sys/kernel/yama/ptrace_scope': '1\n',
  'proc/sys/kernel/core_pattern': '|/bin/false\n',
  'etc/os-release': 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
  'sys/kernel/security/lsm': 'lockdown,capability,yama,apparmor',
  'sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
  'sys/devices/system/cpu/vulnerabilities/meltdown': 'Not affected\n',
  'sys/devices/system/cpu/vulnerabilities/spectre_v1': 'Mitigation: usercopy\n',
  'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
  [SECURE_BOOT]: '\u0006\u0000\u0000\u0000\u0001',
  'run/systemd/timesync/synchronized': '',
  'var/lib/dpkg/status': '',
  'usr/bin/unattended-upgrade': '',
  'etc/apt/apt.conf.d/20auto-upgrades':
    'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
  'proc/self/mountinfo': [
    mount('8:1', '/', '/dev/sda1'),
    mount('253:1', '/srv/the\\040data', '/dev/mapper/vg-data'),
    mount('253:9', '/var/lib/docker', '/dev/mapper/vg-docker'),
  ].join('\n'),
  'sys/dev/block/253:1/dm/uuid': 'LVM-abc',
  'sys/dev/block/253:1/slaves/dm-0': '',
  'sys/class/block/dm-0/dev': '253:0\n',
  'sys/dev/block/253:0/dm/uuid': 'CRYPT-LUKS2-abc',
  'sys/dev/block/8:1/size': '1',
  'proc/1/status': 'Name:\tsystemd\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nCapEff:\t000001ffffffffff\n',
  'proc/swaps': 'Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n',
};

const OWNER = { uid: 1000, gid: 1000 };

interface Machine {
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly programs?: Readonly<Record<string, string | Error>>;
  readonly dataFolder?: string;
}

async function look(t: TestContext, { files = {}, programs = {}, dataFolder = '/srv/the data/home' }: Machine) {
  const root = await mkdtemp(join(tmpdir(), 'nectar-host-'));
  t.after(() => rm(root, { recursive: true }));
  for (const [path, content] of Object.entries({ ...GOOD, ...files })) {
    if (content === undefined) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const host: HostFiles = {
    ...openHostFiles(root),
    device: async (path) => {
      const known: Record<string, string> = { '/dev/sda1': '8:1', '/dev/sda2': '8:1', '/dev/mapper/vg-data': '253:1' };
      return known[path] ?? assert.fail(`nobody knows ${path}`);
    },
    run: async (program) => {
      const said = programs[program];
      if (said instanceof Error) throw said;
      return said;
    },
  };
  const facts = await collect(
    createHostCollector({ dataFolder, engineFolder: '/var/lib/docker', owner: OWNER }, { host }),
  );
  return valuesOf(facts, 'host', 'host');
}

test('sees a careful machine as one, in every fact', async (t) => {
  const programs = {
    nft: 'table inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n',
    auditctl:
      '-w /usr/bin/dockerd -p rwxa -k docker\n-w /etc/passwd -p wa\n-a always,exit -F dir=/var/lib/docker -k d\n',
  };
  const seen = await look(t, { programs });
  assert.deepEqual(
    Object.keys(seen).sort(),
    Object.keys(FACTS)
      .filter((id) => id.startsWith('host.'))
      .sort(),
  );
  assert.equal(seen['host.operatingSystem'], 'Debian GNU/Linux 13 (trixie)');
  assert.deepEqual(seen['host.lsm'], ['apparmor', 'capability', 'lockdown', 'yama']);
  assert.equal(seen['host.kernelLockdown'], 'integrity');
  assert.deepEqual(seen['host.vulnerabilities'], []);
  assert.equal(seen['host.secureBoot'], true);
  assert.equal(seen['host.coreDumpsStored'], false);
  assert.equal(seen['host.aslr'], 2);
  assert.deepEqual(seen['host.suidDumpable'], { absent: 'this kernel has no /proc/sys/fs/suid_dumpable' });
  assert.equal(seen['host.cgroupVersion'], 2);
  assert.equal(seen['host.timeSynchronised'], true);
  assert.equal(seen['host.rebootRequired'], false);
  assert.equal(seen['host.automaticUpdates'], true);
  assert.equal(seen['host.diskEncrypted'], true);
  assert.equal(seen['host.separateDataPartition'], true);
  assert.deepEqual(seen['host.swapPlain'], []);
  assert.deepEqual(seen['host.rulingProcesses'], []);
  assert.deepEqual(seen['host.groupGuests'], []);
  assert.equal(seen['host.firewall'], true);
  assert.deepEqual(seen['host.auditRules'], ['/usr/bin/dockerd', '/var/lib/docker']);
});

test('sees through a careless machine', async (t) => {
  const files = {
    'proc/sys/kernel/core_pattern': 'core\n',
    'sys/devices/system/cpu/vulnerabilities/spectre_v1': 'Vulnerable: no microcode\n',
    [SECURE_BOOT]: '\u0006\u0000\u0000\u0000\u0000',
    'var/run/reboot-required': '',
    'etc/apt/apt.conf.d/90off': 'APT::Periodic::Unattended-Upgrade "0";\n',
    'proc/swaps': 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n/srv/swap file 1 0 -3\n',
    'sys/fs/cgroup/cgroup.controllers': undefined,
    'sys/fs/cgroup/memory/tasks': '',
  };
  const programs = {
    'iptables-save': '*filter\n:INPUT ACCEPT [0:0]\n-A DOCKER-USER -j RETURN\n-A DOCKER -d 10.0.0.2\nCOMMIT\n',
  };
  const seen = await look(t, { files, programs, dataFolder: '/home/clinic' });
  assert.equal(seen['host.coreDumpsStored'], true);
  assert.deepEqual(seen['host.vulnerabilities'], ['spectre_v1']);
  assert.equal(seen['host.secureBoot'], false);
  assert.equal(seen['host.rebootRequired'], true);
  assert.equal(seen['host.automaticUpdates'], false);
  assert.equal(seen['host.diskEncrypted'], false);
  assert.deepEqual(seen['host.swapPlain'], ['/dev/sda2', '/srv/swap']);
  assert.equal(seen['host.firewall'], false, "an engine's own rules are no firewall");
  assert.equal(seen['host.cgroupVersion'], 1);
});

test('takes a RAID for encrypted only when all of its disks are', async (t) => {
  const files = {
    'sys/dev/block/253:1/dm/uuid': undefined,
    'sys/dev/block/253:1/slaves/sda1': '',
    'sys/class/block/sda1/dev': '8:1\n',
  };
  assert.equal((await look(t, { files }))['host.diskEncrypted'], false);
});

test('asks timedatectl and chrony where systemd has left no mark', async (t) => {
  const files = { 'run/systemd/timesync/synchronized': undefined };
  const synchronised = async (programs: Machine['programs']): Promise<unknown> =>
    (await look(t, { files, programs: programs ?? {} }))['host.timeSynchronised'];
  assert.equal(await synchronised({ timedatectl: 'yes\n' }), true);
  assert.equal(await synchronised({ timedatectl: 'no\n' }), false);
  const failed = new Error('timedatectl: no bus');
  assert.equal(await synchronised({ timedatectl: failed, chronyc: 'Stratum : 3\nLeap status     : Normal\n' }), true);
  assert.equal(await synchronised({ timedatectl: failed, chronyc: 'Leap status     : Not synchronised\n' }), false);
  assert.match(
    ((await synchronised({ timedatectl: failed })) as { error: string }).error,
    /no bus; there is no chronyc/,
  );
});

test('says of what this user may not see why, and guesses nothing', async (t) => {
  const denied = new Error('nft: Operation not permitted');
  const files = {
    'sys/kernel/security/lsm': undefined,
    'sys/kernel/security/lockdown': undefined,
    [SECURE_BOOT]: undefined,
    'sys/firmware/efi/systab': '',
    'var/lib/dpkg/status': undefined,
    'proc/self/mountinfo': mount('0:52', '/', 'pool/root', 'zfs'),
    'proc/sys/kernel/kptr_restrict': 'many\n',
  };
  const seen = await look(t, { files, programs: { nft: denied } });
  const reasons = Object.fromEntries(
    Object.entries(seen).flatMap(([fact, value]) => {
      const { error } = value as { error?: string };
      return error === undefined ? [] : [[fact, error]];
    }),
  );
  assert.equal(reasons['host.lsm'], 'there is no /sys/kernel/security/lsm');
  assert.equal(reasons['host.secureBoot'], 'the variables of the firmware are not to be seen');
  assert.equal(reasons['host.diskEncrypted'], 'a file system of type zfs does not tell its device');
  assert.equal(reasons['host.firewall'], 'nft: Operation not permitted');
  assert.equal(reasons['host.auditRules'], 'there is no auditctl to ask');
  assert.equal(reasons['host.rebootRequired'], 'this distribution leaves no mark of it');
  assert.equal(reasons['host.kptrRestrict'], '/proc/sys/kernel/kptr_restrict holds no number');
});

test('reads this very machine without a mistake of its own', async () => {
  const host = openHostFiles();
  const facts = await collect(
    createHostCollector({ dataFolder: tmpdir(), engineFolder: undefined, owner: OWNER }, { host }),
  );
  const seen = valuesOf(facts, 'host', 'host');
  assert.match(String(seen['host.kernel']), /^\d+\.\d+/);
  assert.equal(typeof seen['host.aslr'], 'number');
  assert.equal(await host.run('no-such-program-of-ours', [], new AbortController().signal), undefined);
});
