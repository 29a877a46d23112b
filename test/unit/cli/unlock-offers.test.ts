import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { describeKeyFile, findUnlockOffers, isOnSameDisk } from '../../../cli/unlock-offers.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-offers-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const env = { PATH: '/usr/bin:/usr/sbin' };
const machine = (...paths: string[]) => findUnlockOffers({ env }, (path) => paths.includes(path));

test('finds what a machine has that keeps the key off its disk', () => {
  assert.deepEqual(machine(), { tpm: false, tpmWithoutTools: false, systemd: false, tokens: [] });
  const tools = ['/usr/bin/tpm2_unseal', '/usr/bin/tpm2_create'];
  assert.equal(machine('/dev/tpmrm0', ...tools).tpm, true);
  assert.equal(machine('/dev/tpmrm0').tpmWithoutTools, true);
  assert.equal(machine(...tools).tpm, false, 'tools without a TPM');
  assert.equal(machine('/usr/bin/systemd-creds', '/run/systemd/system').systemd, true);
  assert.equal(machine('/usr/bin/systemd-creds').systemd, false, 'a container without systemd');
  assert.deepEqual(machine('/usr/lib/softhsm/libsofthsm2.so').tokens, ['/usr/lib/softhsm/libsofthsm2.so']);
});

test('says in plain words what a key file on the disk of the data means, and what is better here', () => {
  const home = join(folder, 'home');
  const beside = join(folder, 'config', 'a.key');
  assert.equal(isOnSameDisk(beside, home), true);
  const text = describeKeyFile({ keyFile: beside, home }, machine()).join(' ');
  assert.match(text, /on the same disk as the data: whoever has a copy of the two .* reads everything/);
  assert.match(text, /a passphrase/);
  const tpm = machine('/dev/tpmrm0', '/usr/bin/tpm2_unseal', '/usr/bin/tpm2_create');
  assert.match(describeKeyFile({ keyFile: beside, home }, tpm).join(' '), /the TPM of this machine/);
  const elsewhere = describeKeyFile({ keyFile: '/proc/a.key', home }, machine()).join(' ');
  assert.match(elsewhere, /keep a copy of it in a safe place/);
  assert.doesNotMatch(elsewhere, /same disk/);
});
