import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateKey } from 'openpgp';
import { VERSION } from '../../cli/version.ts';
import { helm, skip } from './cluster.ts';
import { CHART } from './release.ts';

/** The package of a release, as docs/kubernetes.md says it is signed and verified. */
export function tellPackage(): void {
  test('is a package whose provenance Helm verifies, and refuses once a byte is another', { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nectar-package-'));
    const at = (name: string): string => join(folder, name);
    try {
      const signer = 'release@example.org';
      const { privateKey, publicKey } = await generateKey({
        ...{ type: 'rsa', rsaBits: 3072, format: 'binary' },
        userIDs: [{ name: 'Release', email: signer }],
      } as const);
      writeFileSync(at('secret.gpg'), privateKey, { mode: 0o600 });
      writeFileSync(at('public.gpg'), publicKey);
      const signing = ['--sign', '--key', signer, '--keyring', at('secret.gpg'), '--destination', folder];
      await helm(['package', CHART, ...signing]);
      const name = `nectar-byon-${VERSION}.tgz`;
      const archive = at(name);
      const provenance = readFileSync(`${archive}.prov`, 'utf8');
      assert.match(provenance, /^-----BEGIN PGP SIGNED MESSAGE-----/);
      assert.ok(provenance.includes(`${name}: sha256:`));
      const verify = ['verify', archive, '--keyring', at('public.gpg')];
      assert.match((await helm(verify)).stdout, /Signed by:.*release@example\.org[\s\S]*Chart Hash Verified/);
      // What is verified is what is rendered.
      await helm(['template', 'nectar', archive, '--verify', '--keyring', at('public.gpg'), '--set', NETWORK]);
      const bytes = readFileSync(archive);
      const last = bytes.length - 1;
      bytes[last] = (bytes[last] ?? 0) ^ 1;
      writeFileSync(archive, bytes);
      const refused = await helm(verify, { mayFail: true });
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /sha256 sum does not match/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const NETWORK = 'network.descriptor=\\{\\}';
