import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { hardenRun } from '../../../../cli/harden/schedule/harden-run.ts';
import { isKeyExpected } from '../../../../cli/life/repository/verify-and-record.ts';
import { writeClusterTarget } from '../../../../cli/provision/kubernetes/cluster-target.ts';
import { toolEnvironment } from '../../../../cli/provision/kubernetes/tool-environment.ts';
import { createCrontab, cronLine, quoteShellWord } from '../../../../cli/schedule/crontab.ts';
import { parseEvery } from '../../../../cli/schedule/interval.ts';
import { commandOf } from '../../../../cli/schedule/scheduled-run.ts';
import { createSystemd, serviceUnit, timerUnit } from '../../../../cli/schedule/systemd.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const of = {
  home: `/srv/50% of "o'clinic" $HOME`,
  nodeId: '3f2a9c5e7b1d4f608192a3b4c5d6e7f8',
  profile: 'node',
  everySeconds: 86_400,
  environment: {},
};
const run = hardenRun(of);

describe('scheduled runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-schedule-'));
  const [table, calls] = [join(folder, 'table'), join(folder, 'calls')];
  const signal = new AbortController().signal;
  const env = { PATH: `${folder}:${process.env.PATH}` };

  /** Stands for a program of the system: what it is given is kept beside it. */
  const program = (name: string, script: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  beforeEach(() => {
    for (const path of [table, calls]) rmSync(path, { force: true });
    program(
      'crontab',
      `case "$1" in -l) cat ${table} 2>/dev/null || { echo "no crontab for me" >&2; exit 1; } ;; -) cat >${table} ;; esac`,
    );
    program('systemctl', `echo "$@" >>${calls}`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('takes the intervals that every scheduler knows, and no other', () => {
    assert.equal(parseEvery('24h'), 86_400);
    assert.equal(parseEvery('1d'), 86_400);
    assert.equal(parseEvery('7d'), 604_800);
    assert.equal(parseEvery('off'), 'off');
    for (const wrong of ['5h', '30m', '2d', '0h', '', 'daily', '-1h']) {
      assert.throws(
        () => parseEvery(wrong),
        (error) => isNectarError(error, 'CLI_USAGE'),
        wrong,
      );
    }
  });

  test('puts one line into the crontab, leaves those of others, and takes its own away', async () => {
    const crontab = createCrontab({ env, signal });
    await crontab.install(run);
    const others = '5 4 * * * backup # mine\n';
    writeFileSync(table, `${others}${readFileSync(table, 'utf8')}`);
    await crontab.install({ ...run, everySeconds: 3_600 });
    assert.equal(readFileSync(table, 'utf8'), `${others}${cronLine({ ...run, everySeconds: 3_600 })}\n`);
    await crontab.remove(run);
    assert.equal(readFileSync(table, 'utf8'), others);
  });

  test('writes a line that a shell reads as the very command', () => {
    const home = join(folder, of.home.replaceAll('/', '_'));
    mkdirSync(join(home, 'hardening'), { recursive: true });
    const line = cronLine(hardenRun({ ...of, home }));
    const [, time = '', command = ''] = /^(\S+ \S+ \S+ \S+ \S+) (.*)$/.exec(line) ?? [];
    assert.equal(time, '17 3 * * *');
    // What cron itself takes away before a shell sees the line.
    const said = command.replaceAll('\\%', '%').replace(/ >'.*$/s, '');
    const words = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${said}`], { encoding: 'utf8' });
    assert.deepEqual(words.trimEnd().split('\n'), commandOf(hardenRun({ ...of, home })));
  });

  test('hands variables on as they are, by a shell and by systemd', () => {
    const value = `/opt/50% of "o'clinic" $HOME \\ x`;
    const log = join(folder, 'variables.log');
    const told = { ...run, log, environment: { PLACE: value, OTHER: 'b' } };
    const line = cronLine(told).replaceAll('\\%', '%').replace(commandOf(told).map(quoteShellWord).join(' '), 'env');
    execFileSync('/bin/sh', ['-c', line.replace(/^(\S+ ){5}/, '')]);
    const seen = readFileSync(log, 'utf8').split('\n');
    assert.ok(seen.includes(`PLACE=${value}`) && seen.includes('OTHER=b'), seen.join('\n'));
    assert.match(
      serviceUnit(told),
      /^Environment="PLACE=\/opt\/50%% of \\"o'clinic\\" \$HOME \\\\ x"\nEnvironment="OTHER=b"$/m,
    );
    assert.doesNotMatch(serviceUnit(run), /Environment/);
  });

  test('has a run find kubectl where the operator has it, and miss no key file, of a node in a cluster alone', async () => {
    const home = join(folder, 'cluster-home');
    mkdirSync(home);
    const said = { PATH: '/opt/tools:/usr/bin', HOME: '/home/me', KUBECONFIG: 'a\nb', AWS_SECRET_ACCESS_KEY: 'secret' };
    assert.deepEqual(toolEnvironment(home, said), {});
    await writeClusterTarget(home, {
      ...{ version: 1, target: 'kubernetes', state: 'ready', namespace: 'clinic', release: 'clinic' },
      ...{ chart: '/chart', nodeId: of.nodeId, programVersion: '0.1.0' },
    });
    assert.deepEqual(toolEnvironment(home, said), { PATH: '/opt/tools:/usr/bin', HOME: '/home/me' });
    const keyFile = join(home, 'made-elsewhere.key');
    assert.ok(!isKeyExpected(home, keyFile) && isKeyExpected(folder, keyFile) && !isKeyExpected(folder, ''));
    writeFileSync(keyFile, '');
    assert.ok(isKeyExpected(home, keyFile));
  });

  test('a crontab that refuses is a typed error', async () => {
    program('crontab', 'echo "you are not allowed" >&2; exit 1');
    const install = createCrontab({ env, signal }).install(run);
    await assert.rejects(install, (error) => isNectarError(error, 'HARDENING_SCHEDULE_REFUSED'));
    const none = createCrontab({ env: { PATH: '/nowhere' }, signal }).install(run);
    await assert.rejects(none, (error) => isNectarError(error, 'HARDENING_SCHEDULE_REFUSED'));
  });

  test('writes units for systemd, starts the timer, and takes both away', async () => {
    const units = join(folder, 'units');
    const systemd = createSystemd({ env, signal, system: true, folder: units });
    await systemd.install(run);
    const name = run.name;
    assert.equal(readFileSync(join(units, `${name}.service`), 'utf8'), serviceUnit(run));
    assert.match(timerUnit(run), /^OnUnitActiveSec=86400s$/m);
    assert.match(
      readFileSync(calls, 'utf8'),
      new RegExp(`^daemon-reload\nenable ${name}.timer\nrestart ${name}.timer`),
    );
    await systemd.remove(run);
    assert.ok(!existsSync(join(units, `${name}.service`)) && !existsSync(join(units, `${name}.timer`)));
  });

  test('writes words that systemd reads as they are', () => {
    const line = /^ExecStart=(.*)$/m.exec(serviceUnit(run))?.[1] ?? '';
    assert.match(line, /"\/srv\/50%% of \\"o'clinic\\" \$\$HOME"/);
  });

  test('of a user speaks to the user manager, and says what lingering is', async () => {
    const units = join(folder, 'user-units');
    const notes = await createSystemd({ env, signal, system: false, folder: units }).install(run);
    assert.match(notes.join(), /enable-linger/);
    assert.match(readFileSync(calls, 'utf8'), /^--user daemon-reload/);
  });
});
