import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { VERSION } from '../../../cli/version.ts';
import { unseen, type Weakening } from '../weakened/weakening.ts';
import type { WeakenedStack } from './weakened-stack.ts';

const IMAGES = ['node', 'containers', 'images'];
const KEY = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n';

interface Built {
  readonly name: string;
  /** Instructions after FROM; files of the context are in `files/`. */
  readonly instructions: readonly string[];
  readonly files?: readonly { readonly name: string; readonly mode: number; readonly text?: string }[];
  readonly fails: readonly string[];
}

/** The image of the gateway, built further as people do. None of them is one that this version was released or built with. */
const BUILT: readonly Built[] = [
  {
    name: 'has a shell and a package manager',
    instructions: ['COPY files/ /usr/bin/'],
    files: [
      { name: 'sh', mode: 0o755 },
      { name: 'apt-get', mode: 0o755 },
    ],
    fails: ['IMG-002', 'IMG-003'],
  },
  {
    name: 'carries a key and a password',
    instructions: ['COPY files/ /app/', 'ENV DB_PASSWORD=hunter2-b2a94dd1c7'],
    files: [{ name: 'server.key', mode: 0o644, text: KEY }],
    // What the image sets, every container of it has.
    fails: ['CTR-081', 'IMG-007', 'IMG-008'],
  },
  {
    name: 'starts as root through a shell, unwatched',
    instructions: ['USER root', 'HEALTHCHECK NONE', 'ENTRYPOINT /nodejs/bin/node /app/main.mjs'],
    fails: ['IMG-001', 'IMG-009', 'IMG-017'],
  },
  {
    name: 'was fetched by ADD, and may be changed by anybody',
    instructions: ['ADD files/ /app/'],
    files: [{ name: 'more.mjs', mode: 0o666 }],
    fails: ['IMG-006', 'IMG-013'],
  },
  {
    name: 'is of another version',
    instructions: [`LABEL org.nectar-byon.version=${VERSION}-other`],
    fails: ['IMG-018'],
  },
];

export const WEAKENED_IMAGES: readonly Weakening<WeakenedStack>[] = BUILT.map((built) => ({
  name: `the image ${built.name}`,
  collectors: IMAGES,
  weaken: async (stack) => {
    const image = await stack.build(await contextOf(built, stack.imageOf('gateway')));
    await stack.replace('gateway', (body) => {
      body.Image = image;
    });
  },
  // Made by hand from an image of its own, with what that image sets.
  fails: [...built.fails, 'CTR-091', 'IMG-016'],
}));

/** Of an image made for this row: the others are those of every node on the engine. */
export const ALTERED_LAYER: Weakening<WeakenedStack> = {
  name: 'a file of an image was altered where the engine keeps it',
  collectors: IMAGES,
  weaken: async (stack) => {
    const files = [{ name: 'more.mjs', mode: 0o644, text: 'export const more = 1;\n' }];
    const built = { name: '', instructions: ['COPY files/ /app/'], files, fails: [] };
    const image = await stack.build(await contextOf(built, stack.imageOf('gateway')));
    await stack.replace('gateway', (body) => {
      body.Image = image;
    });
    const { GraphDriver } = await stack.docker.getImage(image).inspect();
    const { UpperDir = '' } = GraphDriver.Data as { UpperDir?: string };
    writeFileSync(join(UpperDir, 'app', 'more.mjs'), 'export const more = 2;\n');
  },
  fails: ['CTR-091', 'IMG-016', 'IMG-023'],
  // The engine gives none of its files any more.
  otherwise: unseen('IMG-002 IMG-003 IMG-004 IMG-005 IMG-006 IMG-007 IMG-010 IMG-011'),
};

function contextOf({ instructions, files = [] }: Built, from: string): Promise<Buffer> {
  const tar = pack();
  const entry = { type: 'file', uid: 0, gid: 0, mtime: new Date(0) } as const;
  tar.entry(
    { ...entry, name: 'Dockerfile', mode: 0o644 },
    Buffer.from([`FROM ${from}`, ...instructions, ''].join('\n')),
  );
  for (const { name, mode, text = name } of files)
    tar.entry({ ...entry, name: `files/${name}`, mode }, Buffer.from(text));
  tar.finalize();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    tar.on('data', (chunk: Buffer) => chunks.push(chunk));
    tar.on('error', reject);
    tar.on('end', () => resolve(Buffer.concat(chunks)));
  });
}
