import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseFiles } from '../../../../cli/release/verify-release.ts';
import { VERSION } from '../../../../cli/version.ts';
import { makeReleaseKeys } from '../../../../scripts/release/make-keys.ts';
import { openSigningKeys, signFiles } from '../../../../scripts/release/sign-files.ts';
import { capture } from '../capture.ts';

const MACHINE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const DIGEST = `sha256:${'ab'.repeat(32)}`;

/** A maker of releases: keys of his own, a small program and images, signed as `npm run release -- sign` does it. */
export class Maker {
  readonly folder: string;
  readonly keys: string;
  readonly releaseKey: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.keys = join(folder, 'keys');
    this.releaseKey = join(this.keys, 'release-key.pub');
  }

  static async create(parent: string): Promise<Maker> {
    const maker = new Maker(mkdtempSync(join(parent, 'maker-')));
    await makeReleaseKeys(maker.keys, undefined);
    return maker;
  }

  /** A dist/ whose release/ is signed; `says` is what the program prints. */
  async build(name: string, says: string, version = VERSION): Promise<string> {
    const dist = join(this.folder, name);
    for (const folder of ['images', 'program', 'release']) mkdirSync(join(dist, folder), { recursive: true });
    const put = (path: string, text: string | Uint8Array): void => writeFileSync(join(dist, path), text);
    const roles = Object.fromEntries(['gateway', 'store', 'audit', 'rollup'].map((role) => [role, { id: DIGEST }]));
    put('images/digests.lock.json', JSON.stringify({ version, roles }));
    put(`images/nectar-byon-${version}-linux-${MACHINE}.tar`, Buffer.alloc(50_000, says));
    put('program/install.sh', '#!/bin/sh\n');
    const source = mkdtempSync(join(this.folder, 'source-'));
    mkdirSync(join(source, 'nectar-byon'));
    writeFileSync(join(source, 'nectar-byon', 'nectar-byon'), `#!/bin/sh\necho ${says}\n`, { mode: 0o755 });
    const archive = join(dist, 'program', `nectar-byon-${VERSION}-linux-${MACHINE}.tar.gz`);
    execFileSync('tar', ['-C', source, '-czf', archive, 'nectar-byon/nectar-byon']);
    await this.sign(dist, version);
    return dist;
  }

  async sign(dist: string, version = VERSION): Promise<void> {
    const subjects = new Map<string, string>();
    for (const folder of ['images', 'program'])
      for (const name of readdirSync(join(dist, folder)))
        subjects.set(
          name,
          createHash('sha256')
            .update(readFileSync(join(dist, folder, name)))
            .digest('hex'),
        );
    await signFiles(
      {
        ...{ version, subjects, materials: [], platform: {}, builder: 'urn:test:builder' },
        source: { uri: 'urn:test:source', digest: { gitCommit: 'c'.repeat(40) } },
        ...{ startedOn: '2026-11-30T00:00:00Z', finishedOn: '2026-11-30T00:10:00Z' },
      },
      {
        folder: join(dist, 'release'),
        files: releaseFiles('release'),
        keys: await openSigningKeys(this.keys, undefined),
      },
    );
  }
}

/** `bundle save`, with the signatures in `release` unless there are none. */
export async function saveBundle(dist: string, file: string, release: string | undefined): Promise<string> {
  const signed = release === undefined ? [] : ['--release', release];
  const ran = await capture(['bundle', 'save', file, '--dist', dist, ...signed, '--force', '--json']);
  if (ran.code !== 0) throw new Error(ran.stderr);
  return file;
}
