/**
 * A large file into a running node and out of it again, by our own command line and by curl, through HTTPS with defaults, against
 * `restic backup` and `restore` and against `age` encrypting and decrypting the same file. All of them in turns, on one disk.
 * `npm run bench -- transfer`. BENCH_TRANSFER_MIB (1024), BENCH_TRANSFER_ROUNDS (3). Programs: restic, age, curl.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Workplace } from '../test/e2e/workplace.ts';
import { MIB, printTurns, seconds } from './figures.ts';
import { Restic } from './restic.ts';
import { runProgram } from './run-program.ts';
import { accessOf, type ServedNode, startNode } from './served-node.ts';

const SIZE_MIB = Number(process.env.BENCH_TRANSFER_MIB ?? 1024);
const ROUNDS = Number(process.env.BENCH_TRANSFER_ROUNDS ?? 3);
const PROGRAM = fileURLToPath(new URL('../nectar-byon', import.meta.url));

type Way = 'cli' | 'curl' | 'restic' | 'age';
type Times = Record<'put' | 'get', Record<Way, number[]>>;

async function writeRandom(path: string): Promise<void> {
  const file = await open(path, 'w');
  for (let i = 0; i < SIZE_MIB; i++) await file.write(randomBytes(MIB));
  await file.sync();
  await file.close();
}

/** Each way in and out of the same file; a round leaves nothing behind but evidence. */
class Ways {
  readonly #place: Workplace;
  readonly #home: string;
  readonly #file: string;
  readonly #out: string;

  constructor(place: Workplace, home: string) {
    this.#place = place;
    this.#home = home;
    this.#file = place.path('large.bin');
    this.#out = place.path('out.bin');
  }

  async prepare(): Promise<void> {
    await writeRandom(this.#file);
    await this.#run('age-keygen', '-o', this.#place.path('age.key'));
  }

  async cli(note: Note): Promise<void> {
    const at = ['--home', this.#home, '--json'];
    let receipt = '';
    note('put', await seconds(async () => (receipt = await this.#run(PROGRAM, 'put', '--again', this.#file, ...at))));
    const { recordId } = JSON.parse(receipt) as { recordId: string };
    note('get', await seconds(() => this.#run(PROGRAM, 'get', recordId, '-o', this.#out, ...at)));
    await this.#run('cmp', this.#file, this.#out);
    await rm(this.#out);
    await this.#run(PROGRAM, 'rm', '--yes', recordId, ...at);
  }

  async curl(note: Note): Promise<void> {
    const { gateway, ca, token } = accessOf(this.#home);
    await writeFile(this.#place.path('ca.crt'), ca);
    const call = ['-sS', '--fail', '--cacert', this.#place.path('ca.crt'), '-H', `authorization: Bearer ${token}`];
    const records = new URL('/v1/records', gateway).href;
    let receipt = '';
    const put = [...call, '-X', 'POST', '-T', this.#file, records];
    note('put', await seconds(async () => (receipt = await this.#run('curl', ...put))));
    const { recordId } = JSON.parse(receipt) as { recordId: string };
    const get = [...call, '-o', this.#out, `${records}/${recordId}`];
    note('get', await seconds(() => this.#run('curl', ...get)));
    await this.#run('cmp', this.#file, this.#out);
    await rm(this.#out);
    await this.#run('curl', ...call, '-X', 'DELETE', `${records}/${recordId}`);
  }

  async restic(note: Note): Promise<void> {
    const restic = await Restic.create(this.#place.path('restic'));
    const target = this.#place.path('restored');
    note('put', await seconds(() => restic.backup(this.#file)));
    note('get', await seconds(() => restic.restore(target)));
    await restic.remove();
    await rm(target, { recursive: true });
  }

  async age(note: Note): Promise<void> {
    const [key, sealed] = [this.#place.path('age.key'), this.#place.path('large.age')];
    const recipient = (await this.#run('age-keygen', '-y', key)).trim();
    note('put', await seconds(() => this.#run('age', '-r', recipient, '-o', sealed, this.#file)));
    note('get', await seconds(() => this.#run('age', '-d', '-i', key, '-o', this.#out, sealed)));
    await rm(sealed);
    await rm(this.#out);
  }

  #run(command: string, ...args: string[]): Promise<string> {
    return runProgram(command, args, { env: this.#place.env, cwd: this.#place.folder });
  }
}

type Note = (direction: 'put' | 'get', took: number) => void;

function print(times: Times): void {
  const speeds = (list: readonly number[]): number[] => list.map((took) => SIZE_MIB / took);
  const peers = {
    restic: { put: 'restic backup', get: 'restic restore' },
    age: { put: 'age -r', get: 'age -d' },
  } as const;
  for (const direction of ['put', 'get'] as const) {
    for (const ours of ['cli', 'curl'] as const) {
      for (const peer of ['restic', 'age'] as const) {
        const name = { name: `transfer-${direction}-${ours}`, peerName: peers[peer][direction], unit: 'MiB/s' };
        printTurns(name, { ours: speeds(times[direction][ours]), peer: speeds(times[direction][peer]) });
      }
    }
  }
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  let node: ServedNode | undefined;
  try {
    const ways = new Ways(place, home);
    await ways.prepare();
    node = await startNode(place, home, ['all']);
    const empty = (): Record<Way, number[]> => ({ cli: [], curl: [], restic: [], age: [] });
    const times: Times = { put: empty(), get: empty() };
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of ['cli', 'restic', 'curl', 'age'] as const)
        await ways[way]((direction, took) => times[direction][way].push(took));
    }
    print(times);
  } finally {
    await node?.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
