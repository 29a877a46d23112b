import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { decodeTar, encodeTar } from '../../../images/tar.ts';
import { assembled } from './assembled.ts';
import { docker, LABEL, load, noEngine, removeImage } from './engine.ts';

const DOCKERFILE = readFileSync(new URL('../../../Dockerfile', import.meta.url));
const TAG = `nectar-test-dockerfile-${process.pid}`;
const BASE = `nectar-test-base-${process.pid}`;

/** What a role adds to the base lies here; the whole of an image takes seconds to export, so one role's must do. */
const OWN = ['/app', '/nectar', '/run/nectar', '/licenses', '/sbom'];
const WHOLE = 'audit';

/** Path -> type, mode, owner, link target and content of every member, as the engine hands out a container of the image. */
async function filesOf(image: string, whole: boolean): Promise<Map<string, string>> {
  const container = await docker.createContainer({ Image: image, Labels: { [LABEL]: String(process.pid) } });
  try {
    const files = new Map<string, string>();
    // One after the other: the engine keeps a container to itself until a stream has been read.
    for (const path of whole ? ['/'] : OWN) {
      const stream = whole ? await container.export() : await container.getArchive({ path });
      for (const member of decodeTar(await collect(stream))) {
        const { type, mode, uid, gid, target, content } = member;
        const hash = createHash('sha256').update(content).digest('hex');
        files.set(`${path} ${member.path}`, [type, mode.toString(8), uid, gid, target, hash].join(' '));
      }
    }
    return files;
  } finally {
    await container.remove({ force: true });
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

describe('the Dockerfile', { skip: noEngine ?? false }, () => {
  before(async () => {
    const { base, roles, version } = await assembled();
    await load([
      { ...base, name: BASE, tag: 'base' },
      ...roles.map(({ image, role }) => ({ ...image, name: TAG, tag: `${role}-ours` })),
    ]);
    const file = (path: string, content: Uint8Array) => ({ kind: 'file' as const, path, mode: 0o644, content });
    const context = Buffer.from(
      encodeTar(
        [file('Dockerfile', DOCKERFILE), ...roles.map(({ role, layer }) => file(`dist/layers/${role}.tar`, layer.tar))],
        0,
      ),
    );
    for (const { role } of roles) {
      // version 1 is the classic builder, which every engine has; networkmode none proves that nothing is fetched.
      const options = {
        t: `${TAG}:${role}`,
        target: role,
        buildargs: { BASE: `${BASE}:base`, VERSION: version },
        networkmode: 'none',
      };
      const stream = await docker.buildImage(Readable.from([context]), { ...options, version: '1', forcerm: true });
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
      });
    }
  });
  after(async () => {
    const { roles } = await assembled();
    for (const { role } of roles) {
      await removeImage(`${TAG}:${role}`);
      await removeImage(`${TAG}:${role}-ours`);
    }
    await removeImage(`${BASE}:base`);
  });

  for (const role of ['gateway', 'store', 'audit', 'rollup']) {
    test(`target ${role} has the files of the image that is assembled without it`, async () => {
      const [theirs, ours] = [
        await filesOf(`${TAG}:${role}`, role === WHOLE),
        await filesOf(`${TAG}:${role}-ours`, role === WHOLE),
      ];
      assert.ok(ours.size > 50, `${ours.size} files`);
      assert.deepEqual(theirs, ours);
    });

    test(`target ${role} runs the same program as the same user, with the same labels and health check`, async () => {
      const configOf = async (image: string) => {
        const { Config } = await docker.getImage(image).inspect();
        const { User, Entrypoint, Cmd, Env, WorkingDir, Labels, Healthcheck, StopSignal, ExposedPorts, Volumes } =
          Config as unknown as Record<string, unknown>;
        const labels = Object.entries((Labels ?? {}) as Record<string, string>).filter(
          ([name]) => name !== 'org.nectar-byon.base',
        );
        const command = [...((Entrypoint ?? []) as string[]), ...((Cmd ?? []) as string[])];
        return {
          User,
          command,
          Env,
          WorkingDir,
          labels: labels.sort(),
          Healthcheck,
          StopSignal,
          ExposedPorts,
          Volumes,
        };
      };
      assert.deepEqual(await configOf(`${TAG}:${role}`), await configOf(`${TAG}:${role}-ours`));
    });
  }
});
