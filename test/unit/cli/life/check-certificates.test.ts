import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkCertificates } from '../../../../cli/life/check-certificates.ts';
import { createSite } from '../../appliance/gateway/site-authority.ts';

test('a certificate with a byte changed is a bad verdict with advice, not the end of the examination', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-certificates-'));
  t.after(() => rm(home, { recursive: true }));
  await mkdir(join(home, 'tls'));
  const now = Date.now();
  const { certificate } = await createSite(now);
  const middle = certificate.length >> 1;
  const damaged = `${certificate.slice(0, middle)}\n\u0001${certificate.slice(middle + 1)}`;
  for (const file of ['server.crt', 'site.crt']) await writeFile(join(home, 'tls', file), certificate);
  assert.deepEqual(
    (await checkCertificates(home, now)).map(({ grade }) => grade),
    ['good', 'good'],
  );
  for (const file of ['server.crt', 'site.crt']) await writeFile(join(home, 'tls', file), damaged);
  for (const check of await checkCertificates(home, now)) {
    assert.deepEqual([check.grade, check.value], ['bad', 'damaged: no client accepts it']);
    assert.ok(check.advice !== undefined);
  }
});
