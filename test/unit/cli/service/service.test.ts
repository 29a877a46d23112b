import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeIdentityFile } from '../../../../appliance/config/identity.ts';
import { checkReboot, findStarter, findUserName } from '../../../../cli/service/node-service.ts';
import { createOpenrcStarter, openrcScript } from '../../../../cli/service/openrc.ts';
import { nodeUnit, serviceName } from '../../../../cli/service/service-unit.ts';
import { createCrontabStarter, createSystemdStarter, rebootLine } from '../../../../cli/service/starters.ts';
import type { Terminal } from '../../../../cli/terminal.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-service-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const service = {
  home: '/srv/clinic',
  nodeId: '3f2a9c5e7b1d4f608192a3b4c5d6e7f8',
  system: true,
  user: 'nectar',
  devices: false,
};
/** What `systemd-analyze security` gives a service that is well confined. */
const MAX_EXPOSURE = 2;
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

/** A terminal whose PATH begins with programs of the test. */
function terminalWith(programs: Record<string, string>): Terminal {
  const at = mkdtempSync(join(folder, 'bin-'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(at, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(at, name), 0o755);
  }
  const { terminal } = fakeTerminal({
    env: { PATH: `${at}:${process.env.PATH}`, XDG_CONFIG_HOME: join(at, 'config') },
  });
  return { ...terminal, userFolder: at };
}

test('confines a node as a unit of the machine: exposure 2.0 at most, and systemd takes every line', {
  skip: hasAnalyze ? false : 'systemd-analyze is not here',
}, () => {
  for (const [devices, limit] of [
    [false, MAX_EXPOSURE],
    [true, MAX_EXPOSURE + 0.5],
  ] as const) {
    const path = join(folder, `${serviceName(service.nodeId)}.service`);
    writeFileSync(path, nodeUnit({ ...service, devices }));
    const said = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    assert.ok(exposure <= limit, `${exposure}\n${said}`);
  }
});

test('systemd-analyze verify finds nothing in the unit of the machine and of a user, whatever the home is called', {
  skip: hasAnalyze ? false : 'systemd-analyze is not here',
}, () => {
  for (const system of [true, false])
    for (const home of ['/srv/clinic', '/srv/50% of "o\'clinic" $HOME']) {
      const path = join(folder, `${serviceName(service.nodeId)}.service`);
      writeFileSync(path, nodeUnit({ ...service, system, user: 'root', home }));
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
      // What it says of the machine's other units is not ours.
      const ours = stderr.split('\n').filter((line) => line.includes(serviceName(service.nodeId)));
      assert.deepEqual([status, ours], [0, []]);
    }
});

test('a unit quotes what a home may be called, and runs as the owner of the home', () => {
  const unit = nodeUnit({ ...service, home: '/srv/50% of "o\'clinic" $HOME' });
  assert.match(unit, /^ExecStart=.*"--home" "\/srv\/50%% of \\"o'clinic\\" \$\$HOME" "--json"$/m);
  assert.match(unit, /^ReadWritePaths="\/srv\/50%% of \\"o'clinic\\" \$HOME"$/m);
  assert.match(unit, /^User=nectar$/m);
  assert.match(unit, /^NoNewPrivileges=yes$/m);
  assert.match(unit, /^SystemCallFilter=@system-service$/m);
});

test('a unit of the user asks for nothing that only the machine can give', () => {
  const unit = nodeUnit({ ...service, system: false });
  assert.doesNotMatch(unit, /^(User|CapabilityBoundingSet|ProtectSystem|PrivateDevices)=/m);
  assert.match(unit, /^NoNewPrivileges=yes$/m);
  assert.match(unit, /^WantedBy=default\.target$/m);
});

test('systemd: installs, enables and starts nothing; removes all of it', async () => {
  const calls = join(folder, 'calls');
  const terminal = terminalWith({ systemctl: `echo "$@" >>${calls}` });
  const starter = createSystemdStarter({ ...service, system: false }, terminal);
  assert.equal(await starter.isInstalled(), false);
  assert.match((await starter.install()).join(), /enable-linger/);
  assert.equal(await starter.isInstalled(), true);
  const name = `${serviceName(service.nodeId)}.service`;
  assert.equal(readFileSync(calls, 'utf8'), `--user daemon-reload\n--user enable ${name}\n`);
  await starter.remove();
  await starter.remove();
  assert.equal(await starter.isInstalled(), false);
  assert.match(readFileSync(calls, 'utf8'), new RegExp(`--user disable ${name}`));
});

test('systemd: one that refuses leaves no unit behind, and says why', async () => {
  const terminal = terminalWith({ systemctl: 'echo "Failed to connect to bus" >&2; exit 1' });
  const starter = createSystemdStarter({ ...service, system: false }, terminal);
  await assert.rejects(
    starter.install(),
    (error) => isNectarError(error, 'CLI_SERVICE_REFUSED') && /Failed to connect to bus/.test(error.message),
  );
  assert.equal(await starter.isInstalled(), false);
});

test('cron: one line at the start of the machine, beside those of others', async () => {
  const table = join(folder, 'table');
  const none = 'echo "no crontab for me" >&2; exit 1';
  const terminal = terminalWith({
    crontab: `case "$1" in -l) cat ${table} 2>/dev/null || { ${none}; } ;; -) cat >${table} ;; esac`,
  });
  const starter = createCrontabStarter(service, terminal);
  await starter.install();
  await starter.install();
  assert.equal(readFileSync(table, 'utf8'), `${rebootLine(service.home, service.nodeId)}\n`);
  assert.match(readFileSync(table, 'utf8'), /^@reboot '.*' 'up' '--home' '\/srv\/clinic' '--json' >/);
  writeFileSync(table, `5 4 * * * backup # mine\n${readFileSync(table, 'utf8')}`);
  assert.equal(await starter.isInstalled(), true);
  await starter.remove();
  assert.equal(readFileSync(table, 'utf8'), '5 4 * * * backup # mine\n');
  assert.ok(existsSync(table));
});

test('OpenRC: a script that sh takes, whatever the home is called, with the words of the command as they are', () => {
  const home = '/srv/50% of "o\'clinic" $HOME';
  const path = join(folder, 'script');
  writeFileSync(path, openrcScript({ ...service, home }));
  // supervise-daemon.sh evaluates the variables once more.
  const words = execFileSync('sh', ['-c', `. ${path}; eval printf '%s\\\\n' $command $command_args $output_log`], {
    encoding: 'utf8',
  });
  const [exec, , ...rest] = words.trimEnd().split('\n');
  assert.deepEqual(
    [exec, ...rest],
    [process.execPath, 'run', 'all', '--home', home, '--json', `${home}/logs/node.log`],
  );
  assert.match(readFileSync(path, 'utf8'), /^command_user='nectar'$/m);
});

test('OpenRC: adds and removes a service of the machine, and refuses who is not root', async () => {
  const calls = join(folder, 'rc-calls');
  const scripts = mkdtempSync(join(folder, 'init.d-'));
  const terminal = terminalWith({ 'rc-update': `echo "$@" >>${calls}` });
  const starter = createOpenrcStarter(service, terminal, scripts);
  await starter.install();
  assert.equal(await starter.isInstalled(), true);
  await starter.remove();
  await starter.remove();
  assert.equal(await starter.isInstalled(), false);
  const name = serviceName(service.nodeId);
  assert.equal(readFileSync(calls, 'utf8'), `add ${name} default\ndel ${name} default\n`);
  await assert.rejects(createOpenrcStarter({ ...service, system: false }, terminal, scripts).install(), (error) =>
    isNectarError(error, 'CLI_SERVICE_REFUSED'),
  );
  await assert.rejects(createOpenrcStarter({ ...service, user: '4300' }, terminal, scripts).install(), (error) =>
    isNectarError(error, 'CLI_SERVICE_REFUSED'),
  );
  const refusing = createOpenrcStarter(service, terminalWith({ 'rc-update': 'exit 1' }), scripts);
  await assert.rejects(refusing.install(), (error) => isNectarError(error, 'CLI_SERVICE_REFUSED'));
  assert.equal(await refusing.isInstalled(), false);
});

test('what the machine starts shows to a user too, who has not installed it', async () => {
  const units = mkdtempSync(join(folder, 'units-'));
  const scripts = mkdtempSync(join(folder, 'init.d-'));
  const terminal = terminalWith({ crontab: 'echo "no crontab for me" >&2; exit 1', systemctl: 'exit 0' });
  const user = { ...service, system: false };
  const find = async () => {
    const starter = await findStarter(user, terminal, { units, scripts });
    return starter && [starter.name, starter.ofTheMachine];
  };
  assert.equal(await find(), undefined);
  mkdirSync(join(terminal.userFolder, 'config', 'systemd', 'user'), { recursive: true });
  await createSystemdStarter(user, terminal).install();
  assert.deepEqual(await find(), ['systemd', false]);
  writeFileSync(join(scripts, serviceName(service.nodeId)), '');
  assert.deepEqual(await find(), ['openrc', true]);
  writeFileSync(join(units, `${serviceName(service.nodeId)}.service`), '');
  assert.deepEqual(await find(), ['systemd', true]);
});

test('names the owner of a home as /etc/passwd does', () => {
  const file = join(folder, 'passwd');
  writeFileSync(file, 'root:x:0:0:root:/root:/bin/sh\nnectar:x:4300:4300::/home/nectar:/bin/sh\n');
  assert.deepEqual([findUserName(4300, file), findUserName(430, file)], ['nectar', undefined]);
  assert.equal(findUserName(0, join(folder, 'no-passwd')), undefined);
});

test('a home without its key list is said by name, and is not the end of the examination', async () => {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, 'identity'));
  const identity = {
    nodeId: service.nodeId,
    peerId: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
    operator: `0x${'1'.repeat(40)}`,
    checkpointVkey: 'clinic.example+0b2b1f7a+AAAA',
    tokenJwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
  } as const;
  writeFileSync(join(home, 'identity', 'public.json'), encodeIdentityFile(identity));
  const { grade, value } = await checkReboot(home, terminalWith({}));
  assert.equal(grade, 'poor');
  assert.match(value, /keys\.json/);
});
