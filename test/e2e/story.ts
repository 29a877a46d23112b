import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { basename, join } from 'node:path';
import { after } from 'node:test';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import {
  Contract,
  ContractFactory,
  FetchRequest,
  type HDNodeWallet,
  JsonRpcProvider,
  parseEther,
  Wallet,
} from 'ethers';
import { createLibp2p } from 'libp2p';
import { GreeterAbi, GreeterInitCode } from '../contracts/generated/Greeter.ts';
import { createSteps } from './steps.ts';
import { filesHolding, recordFiles, until, type Workplace } from './workplace.ts';

interface Status {
  ready: boolean;
  roles: string[];
  l2: { unsafe: number; safe: number; finalized: number };
  peers: number;
  records: number;
  audit: { size: number; root: string };
  anchored: {
    records: number;
    auditSize: number;
    pending: number;
    safeBlock: string | number | null;
    waiting?: string;
  };
  nodeId: string;
  peerId: string;
}
interface Receipt {
  file: string;
  recordId: string;
  version: number;
  cid: string;
  auditLeaf: number;
}

const CANARIES = ['Canarina Plantadottir', 'canary-9f31c7', 'KANARIENVOGEL-4411'];

/** What differs between the targets: how the node is killed, and where its bytes lie. */
export interface StoryTarget {
  readonly initArguments: readonly string[];
  /** Why the story cannot be told here. */
  readonly skip?: string | false;
  /** SIGKILL for what runs the node's store. */
  kill(home: string): Promise<void>;
  /** The blocks of a node that is down are gone. */
  loseBlocks(home: string): Promise<void>;
  countBlocks(home: string): Promise<number>;
  countStaged(home: string): Promise<number>;
  /** Every file of a node that is down whose name or bytes hold a needle. */
  holding(home: string, needles: readonly string[]): Promise<string[]>;
  /** The node's CA certificate. */
  authority(home: string): string;
}

/**
 * The whole story on one machine, told through the program as its user runs it: real records, two nodes, a devnet, crashes.
 * The steps build on each other: the first that fails ends the story.
 */
export function tellStory(work: Workplace, target: StoryTarget): void {
  const A = work.path('home-a');
  const B = work.path('home-b');
  const status = (home: string): Promise<Status> => work.json<Status>(['status', '--home', home]);
  const step = createSteps(target.skip ?? false);

  after(async () => {
    for (const home of [A, B]) if (existsSync(home)) await work.run(['destroy', '--yes', '--home', home]);
    await work.run(['devnet', 'down']);
    if (process.env.NECTAR_E2E_KEEP === undefined) work.remove();
    else process.stdout.write(`kept ${work.folder}\n`);
  });

  step('plans without changing anything', async () => {
    const run = await work.run(['init', '--home', A, '--yes', ...target.initArguments, '--plan']);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /home-a/);
    assert.ok(!existsSync(A));
  });

  step('init leaves a running, admitted node', async () => {
    const made = await work.json<{ home: string; gateway: string; nodeId: string; peerId: string; network: string }>([
      'init',
      '--home',
      A,
      '--yes',
      ...target.initArguments,
    ]);
    assert.deepEqual(Object.keys(made).sort(), ['gateway', 'home', 'network', 'nodeId', 'peerId']);
    assert.equal(made.home, A);
    assert.equal(made.network, 'devnet');
    assert.match(made.gateway, /^https:\/\//);
    const now = await status(A);
    assert.equal(now.ready, true);
    assert.equal(now.nodeId, made.nodeId);
  });

  step('logs every step for a while when it is told to, each role of it, and status says so', async () => {
    type Level = { role: string; level: string; configured: string };
    const levels = async () =>
      (await work.json<{ logLevels: Level[] | null }>(['status', '--home', A])).logLevels ?? [];
    const told = await work.json<{ roles: { role: string; state?: { changes: unknown[] } }[] }>([
      ...['log-level', 'debug', '--for', '24h', '--home', A],
    ]);
    for (const { role, state } of told.roles) assert.equal(state?.changes.length, 1, role);
    const roles = told.roles.map(({ role }) => role);
    // What the rest of the story looks for in every byte of the home it looks for in these lines too.
    assert.deepEqual(
      (await levels()).map(({ role, level, configured }) => [role, level, configured]),
      roles.map((role) => [role, 'debug', 'info']),
    );
  });

  step('init refuses to overwrite a node', async () => {
    const before = readFileSync(join(A, 'config.json'));
    const error = await work.error(['init', '--home', A, '--yes', ...target.initArguments]);
    assert.equal(error.code, 'CLI_HOME_EXISTS');
    assert.deepEqual(readFileSync(join(A, 'config.json')), before);
  });

  const files = recordFiles();
  let receipts: Receipt[] = [];

  step('puts every real FHIR and DICOM file, the malformed one too', async () => {
    const canary = work.path(`${CANARIES[1]}.json`);
    writeFileSync(
      canary,
      JSON.stringify({ resourceType: 'Patient', name: [{ text: CANARIES[0] }], note: CANARIES[2] }),
    );
    files.push(canary);
    receipts = await work.lines<Receipt>(['put', ...files, '--label', CANARIES[2] ?? '', '--home', A]);
    assert.equal(receipts.length, files.length);
    for (const receipt of receipts)
      assert.deepEqual(Object.keys(receipt).sort(), ['auditLeaf', 'cid', 'file', 'recordId', 'version']);
    assert.equal(new Set(receipts.map((receipt) => receipt.recordId)).size, files.length);
    assert.equal((await status(A)).records, files.length);
  });

  step('gets identical bytes, whole and by range', async () => {
    for (const [index, file] of files.entries()) {
      const out = work.path('out');
      const id = receipts[index]?.recordId ?? '';
      const run = await work.run(['get', id, '-o', out, '--force', '--home', A]);
      assert.equal(run.code, 0, run.stderr);
      assert.ok(readFileSync(out).equals(readFileSync(file)), `${basename(file)} differs`);
    }
    const large = files.findIndex(
      (file) => file.endsWith('MR2_UNCR.dcm') || file.endsWith('Lupe_Little_f8a42e66-8c03-4ee6-85e3-3817c2942de1.json'),
    );
    const bytes = readFileSync(files[large] ?? '');
    const end = bytes.length - 2;
    const start = Math.floor(bytes.length / 2) - 3;
    const out = work.path('range');
    const run = await work.run([
      'get',
      receipts[large]?.recordId ?? '',
      '--range',
      `${start}-${end}`,
      '-o',
      out,
      '--home',
      A,
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.ok(readFileSync(out).equals(bytes.subarray(start, end + 1)));
  });

  step('a second node applies, is attested, admitted and connected', async () => {
    await work.json(['init', '--home', B, '--yes', '--offer', '2GiB', ...target.initArguments]);
    await until('both nodes to see each other', async () => {
      const [a, b] = [await status(A), await status(B)];
      return a.peers >= 1 && b.peers >= 1 ? true : undefined;
    });
    const peers = await work.json<{ peerId: string }[] | { peers: { peerId: string }[] }>([
      'network',
      'peers',
      '--home',
      A,
    ]);
    const list = Array.isArray(peers) ? peers : peers.peers;
    const b = await status(B);
    await until('A to list B', async () =>
      list.some((peer) => peer.peerId === b.peerId) ? true : (await peersOf(A)).includes(b.peerId) || undefined,
    );
  });

  async function peersOf(home: string): Promise<string[]> {
    const value = await work.json<{ peerId: string }[] | { peers: { peerId: string }[] }>([
      'network',
      'peers',
      '--home',
      home,
    ]);
    return (Array.isArray(value) ? value : value.peers).map((peer) => peer.peerId);
  }

  interface Listed {
    recordId: string;
    replicas: string[];
    anchored: boolean;
  }

  async function listed(home: string): Promise<Listed[]> {
    const value = await work.json<{ records: Listed[] } | Listed[]>(['ls', '--home', home, '--limit', '500']);
    return Array.isArray(value) ? value : value.records;
  }

  step('replicates ciphertext blocks to the peer', async () => {
    const b = await status(B);
    await until(
      'every record to have its replica at B',
      async () => ((await listed(A)).every((record) => record.replicas.includes(b.peerId)) ? true : undefined),
      120_000,
    );
  });

  step('restores lost local blocks from the peer', async () => {
    await work.run(['down', '--home', A]);
    assert.ok((await target.countBlocks(A)) > 0);
    await target.loseBlocks(A);
    assert.equal(await target.countBlocks(A), 0);
    const up = await work.run(['up', '--home', A]);
    assert.equal(up.code, 0, up.stderr);
    await until('B to be connected again', async () =>
      (await peersOf(A)).includes((await status(B)).peerId) ? true : undefined,
    );
    for (const [index, file] of files.entries()) {
      const out = work.path('restored');
      const run = await work.run(['get', receipts[index]?.recordId ?? '', '-o', out, '--force', '--home', A]);
      assert.equal(run.code, 0, `${basename(file)}: ${run.stderr}`);
      assert.ok(readFileSync(out).equals(readFileSync(file)), `${basename(file)} differs`);
    }
    assert.ok((await target.countBlocks(A)) > 0, 'restored blocks are written back');
  });

  step('anchors records and the audit log until they are safe on L1', async () => {
    const done = await until(
      'everything anchored and safe',
      async () => {
        const now = await status(A);
        return now.anchored.records >= files.length &&
          now.anchored.auditSize > files.length &&
          now.anchored.safeBlock !== null
          ? now
          : undefined;
      },
      120_000,
    );
    assert.ok(done.l2.safe >= Number(done.anchored.safeBlock));
    assert.ok((await listed(A)).every((record) => record.anchored));
  });

  step('an ethers client deploys, calls, reads logs and balances', async () => {
    const token = await work.json<{ token: string }>([
      'token',
      'create',
      '--scope',
      'rpc',
      '--subject',
      'e2e',
      '--home',
      A,
    ]);
    const { gateway } = await work.json<{ gateway: string }>(['status', '--home', A]);
    const provider = new JsonRpcProvider(request(`${gateway}/rpc`, token.token), undefined, {
      polling: true,
      pollingInterval: 100,
      // ethers would answer the next nonce from its own cache: blocks come faster than it forgets.
      cacheTimeout: -1,
    });
    try {
      assert.equal((await provider.getNetwork()).chainId, 6328270n);
      const wallet = await fundedWallet(provider);
      const balance = await provider.getBalance(wallet.address);
      assert.ok(balance > 0n);
      const factory = new ContractFactory(GreeterAbi, GreeterInitCode, wallet);
      const greeter = await factory.deploy('hello');
      await greeter.waitForDeployment();
      const contract = new Contract(await greeter.getAddress(), GreeterAbi, wallet);
      const receipt = await (await contract.getFunction('setGreeting')('grüezi')).wait();
      assert.equal(receipt.status, 1);
      assert.equal(await contract.getFunction('greeting')(), 'grüezi');
      const logs = await provider.getLogs({ address: await greeter.getAddress(), fromBlock: 0, toBlock: 'latest' });
      assert.ok(logs.length >= 1);
      assert.ok((await provider.getBalance(wallet.address)) < balance);
    } finally {
      provider.destroy();
    }
  });

  function request(url: string, token: string): FetchRequest {
    const fetch = new FetchRequest(url);
    fetch.setHeader('Authorization', `Bearer ${token}`);
    fetch.getUrlFunc = FetchRequest.createGetUrlFunc({
      agent: new Agent({ ca: readFileSync(target.authority(A)) }),
    });
    return fetch;
  }

  async function fundedWallet(provider: JsonRpcProvider): Promise<Wallet | HDNodeWallet> {
    const wallet = Wallet.createRandom().connect(provider);
    const run = await work.run(['devnet', 'fund', wallet.address, '--ether', '1', '--json']);
    assert.equal(run.code, 0, run.stderr);
    await until('the deposit on L2', async () =>
      (await provider.getBalance(wallet.address)) >= parseEther('1') ? true : undefined,
    );
    return wallet;
  }

  step('kill -9 in mid-put loses nothing acknowledged and leaves nothing half-written', async () => {
    const before = await listed(A);
    const child = work.spawn(['put', '-', '--home', A]);
    const chunk = Buffer.alloc(1024 * 1024, 7);
    child.stdin?.on('error', () => undefined);
    for (let i = 0; i < 16; i += 1) child.stdin?.write(chunk);
    await until('bytes to reach the staging folder', async () =>
      (await target.countStaged(A)) > 0 ? true : undefined,
    );
    await target.kill(A);
    child.stdin?.end();
    await new Promise((resolve) => child.once('close', resolve));
    assert.notEqual(child.exitCode, 0);
    const up = await work.run(['up', '--home', A]);
    assert.equal(up.code, 0, up.stderr);
    assert.deepEqual(
      (await listed(A)).map((record) => record.recordId).sort(),
      before.map((record) => record.recordId).sort(),
    );
    assert.equal(await target.countStaged(A), 0);
    const out = work.path('after-crash');
    assert.equal((await work.run(['get', receipts[0]?.recordId ?? '', '-o', out, '--home', A])).code, 0);
    assert.ok(readFileSync(out).equals(readFileSync(files[0] ?? '')));
  });

  step('audit verify gives both verdicts, and a proof that stands alone', async () => {
    await until('the audit log to be anchored', async () =>
      (await status(A)).anchored.auditSize > 0 ? true : undefined,
    );
    const verdict = await work.json<{ integrity: string; completeness: string; size: number }>([
      'audit',
      'verify',
      '--home',
      A,
    ]);
    assert.equal(verdict.integrity, 'ok');
    assert.equal(verdict.completeness, 'ok');
    assert.ok(verdict.size > files.length);
    const proof = work.path('proof.json');
    const run = await work.run(['audit', 'prove', String(receipts[0]?.auditLeaf), '-o', proof, '--home', A]);
    assert.equal(run.code, 0, run.stderr);
    const { spawnSync } = await import('node:child_process');
    const verifier = new URL('../../scripts/verify-audit-proof.ts', import.meta.url).pathname;
    const good = spawnSync(process.execPath, [verifier, proof], { encoding: 'utf8' });
    assert.equal(good.status, 0, good.stderr + good.stdout);
    const forged = readFileSync(proof, 'utf8').replace(/"index":\s*(\d+)/, (_, n) => `"index":${Number(n) + 1}`);
    writeFileSync(proof, forged);
    assert.notEqual(spawnSync(process.execPath, [verifier, proof]).status, 0);
  });

  step('rm crypto-shreds: unreadable afterwards', async () => {
    const id = receipts.at(-1)?.recordId ?? '';
    const run = await work.run(['rm', id, '--yes', '--home', A]);
    assert.equal(run.code, 0, run.stderr);
    const error = await work.error(['get', id, '-o', work.path('gone'), '--home', A]);
    assert.match(error.code, /^STORE_RECORD_/);
    assert.ok(!existsSync(work.path('gone')));
    assert.ok(!(await listed(A)).some((record) => record.recordId === id));
  });

  step('keys rotate keeps every record readable and moves no CID', async () => {
    await work.json(['keys', 'rotate', '--home', A]);
    const out = work.path('rotated');
    const run = await work.run(['get', receipts[1]?.recordId ?? '', '-o', out, '--home', A]);
    assert.equal(run.code, 0, run.stderr);
    assert.ok(readFileSync(out).equals(readFileSync(files[1] ?? '')));
  });

  step('a host that nobody registered is refused', async () => {
    const { addresses } = await work.json<{ addresses: string[] }>(['network', 'status', '--home', A]);
    const stranger = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { reconnectRetries: 0 },
    });
    try {
      const dialled = await stranger.dial(multiaddr(addresses[0] ?? '')).catch(() => undefined);
      await until(
        'A to close the connection',
        () => (dialled === undefined || dialled.status !== 'open' ? true : undefined),
        10_000,
      );
      assert.ok(!(await peersOf(A)).includes(stranger.peerId.toString() as never));
    } finally {
      await stranger.stop();
    }
  });

  step('an ejected node is dropped once L1 has its ejection', async () => {
    const b = await status(B);
    assert.ok((await peersOf(A)).includes(b.peerId));
    const { blockNumber } = await work.json<{ blockNumber: number | string }>(['devnet', 'eject', b.peerId]);
    await until(
      'the ejected node to be gone',
      async () => ((await peersOf(A)).includes(b.peerId) ? undefined : true),
      60_000,
    );
    // Not by the sequencer's word alone.
    assert.ok((await status(A)).l2.safe >= Number(blockNumber));
  });

  step('no planted canary is in any byte of any home', async () => {
    await work.run(['down', '--home', A]);
    await work.run(['down', '--home', B]);
    for (const home of [A, B]) assert.deepEqual(await target.holding(home, CANARIES), []);
    assert.deepEqual(filesHolding(work.path('devnet'), CANARIES), []);
  });

  step('destroy removes the home', async () => {
    const run = await work.run(['destroy', '--yes', '--home', B]);
    assert.equal(run.code, 0, run.stderr);
    assert.ok(!existsSync(B));
  });
}
