import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { readDescriptor } from '../../appliance/config/index.ts';
import { isAuthorized } from '../../cli/membership.ts';
import { devnetFund } from '../../cli/provision/process/devnet.ts';
import { exposeDevnet } from '../../cli/provision/process/devnet-relay.ts';
import { createSteps } from '../e2e/steps.ts';
import { until, Workplace } from '../e2e/workplace.ts';
import { MANAGED, makeSiteIssuer, watchRenewal } from './cert-manager-story.ts';
import { countLateRules, get, kubectl, loadImages, root, skip } from './cluster.ts';
import { type Site, tellApiCertificate, tellExpired, tellLostVolume, tellMoves } from './day-two-story.ts';
import { type Kept, keepAsking, keepPutting, lost, type NodeApi } from './node-api.ts';
import { connectionsOf, startStranger } from './reach.ts';
import { Release, ROLES } from './release.ts';

const PATIENCE_MS = 600_000;
/** How long a gateway that ends takes connections (preStop in the chart), less one second. */
const STAYS_S = 9;
const TRIES = 20;

interface Network {
  readonly membership: string;
  readonly operator: string;
}

/** A node in a real cluster, from `helm install` to its reinstallation on the volumes that it left. */
export function tellNode(): { readonly start: () => Promise<void>; readonly end: () => Promise<void> } {
  const work = new Workplace();
  const step = createSteps(skip);
  const devnet = work.path('devnet');
  const signal = AbortSignal.timeout(90 * 60_000);
  let release: Release;
  let values: Record<string, unknown>;
  let address: string;
  let ports: number[];
  let api: NodeApi;
  const kept: Kept[] = [];
  let nodeId: string;
  let drawn: Release;

  async function start(): Promise<void> {
    const [archive] = globSync(`${root}/dist/images/*.tar`);
    assert.ok(archive, 'the images are not built: npm run images -- build');
    loadImages(archive);
    const node = await get<{ status: { addresses: { type: string; address: string }[] } }>('default', 'node', 'node1');
    address = node.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
    assert.equal((await work.run(['devnet', 'up'])).code, 0);
    await exposeDevnet(devnet, address, signal);
    const { descriptor } = readDescriptor(devnet);
    const at = (urls: readonly string[]) => urls.map((url) => `http://${address}:${new URL(url).port}`);
    const { l1Rpc, sequencerRpc } = descriptor.endpoints;
    ports = [...l1Rpc, ...sequencerRpc].map((url) => Number(new URL(url).port));
    const machine = { ipBlock: { cidr: `${address}/32` } };
    values = {
      network: { descriptor: readFileSync(join(devnet, 'network.json'), 'utf8') },
      config: {
        rollup: { l1RpcUrls: at(l1Rpc), sequencerRpcUrls: at(sequencerRpc) },
        p2p: { allowPrivateAddresses: true },
        store: { heldMaxBytes: 1024 ** 3 },
      },
      networkPolicy: {
        rollupTo: [machine, ...Object.keys(PEER_PORTS).map(inNamespace)],
        rollupToPorts: [...ports, 4640],
      },
    };
    release = new Release('nectar-node', { ...values, ...reachedBy('nectar-node', address) });
    await release.prepare();
  }

  async function end(): Promise<void> {
    await kubectl(['delete', 'namespace', 'nectar-node', 'nectar-drawn', 'nectar-stranger', '--ignore-not-found'], {
      mayFail: true,
    });
    await work.run(['devnet', 'down']);
    work.remove();
  }

  step('installs, and is ready and a member of its network', async () => {
    const began = performance.now();
    await release.install();
    const ready = performance.now();
    api = await release.api();
    await joinNetwork(api, devnet, signal);
    const seconds = (from: number) => ((performance.now() - from) / 1000).toFixed(1);
    process.stdout.write(
      `# ready after ${((ready - began) / 1000).toFixed(1)} s, a member after ${seconds(began)} s\n`,
    );
  });

  step('passes helm test: puts, gets, verifies and destroys a record', async () => {
    assert.match(await release.test(), /TEST SUITE: +nectar-test\n.*\n.*\nPhase: +Succeeded/);
  });

  step('lets a pod of each role reach what the table says, and nothing else', async () => {
    const stranger = await startStranger('nectar-stranger');
    const look = () => connectionsOf(release, { address, ports, stranger });
    let seen = await look();
    // The rules of a new pod come some moments after it, and a busy machine answers late.
    for (let tries = 1; tries < TRIES && !isDeepStrictEqual(seen.of, seen.expected); tries++) {
      await sleep(2_000);
      seen = await look();
    }
    assert.deepEqual(seen.of, seen.expected);
    process.stdout.write(`# MiB: ${JSON.stringify(await release.memory())}\n`);
  });

  step('loses nothing that it acknowledged while each of its pods is killed', async () => {
    const stop = new AbortController();
    const putting = [1, 2].map(() => keepPutting(api, stop.signal, kept));
    for (const role of ROLES) {
      const [pod] = await release.pods(role);
      assert.ok(pod);
      await kubectl(['-n', release.namespace, 'delete', 'pod', pod.metadata.name, '--grace-period=0', '--force']);
      await until(
        `another pod of ${role}`,
        async () => {
          const pods = await release.pods(role);
          const isNew = pods.every(({ metadata }) => metadata.uid !== pod.metadata.uid);
          return isNew && (await release.isReady(role)) ? true : undefined;
        },
        PATIENCE_MS,
      );
    }
    for (const role of ROLES)
      await until(`ready ${role}`, async () => (await release.isReady(role)) || undefined, PATIENCE_MS);
    const before = kept.length;
    await until('records of the new pods', () => kept.length > before + 10 || undefined, PATIENCE_MS);
    stop.abort();
    await Promise.all(putting);
    assert.deepEqual(await lost(api, kept), []);
    process.stdout.write(`# ${kept.length} records were acknowledged meanwhile, and all are there\n`);
  });

  step('restarts its gateways without a failed request', async () => {
    const stop = new AbortController();
    const late = await countLateRules(STAYS_S);
    const asking = keepAsking(api, stop.signal);
    await kubectl(['-n', release.namespace, 'rollout', 'restart', 'deployment/nectar-gateway']);
    await kubectl(['-n', release.namespace, 'rollout', 'status', 'deployment/nectar-gateway', '--timeout=600s']);
    // Until those that end have ended: they may still get connections.
    await until('two gateways', async () => (await release.countPods('gateway')) === 2 || undefined, PATIENCE_MS);
    stop.abort();
    const { count, refused, failures } = await asking;
    assert.deepEqual(failures, []);
    // Connections that are refused are the chart's fault, unless this machine changed its rules later than a gateway waits.
    if ((await countLateRules(STAYS_S)) === late) assert.deepEqual(refused, []);
    process.stdout.write(`# ${count} requests were answered meanwhile, ${refused.length} after a refused connection\n`);
  });

  const site = (): Site => ({ release, api, kept });
  tellMoves(step, work, site);

  step('takes new certificates between its roles without a restart', async () => {
    const pods = (await Promise.all(ROLES.map((role) => release.pods(role)))).flat();
    const reads = async (pod: string) =>
      (await kubectl(['-n', release.namespace, 'logs', pod])).stdout.split('crossing certificate read').length;
    const before = new Map<string, number>();
    for (const { metadata } of pods) before.set(metadata.name, await reads(metadata.name));
    const running = JSON.stringify(await Promise.all(ROLES.map((role) => release.identity(role))));
    // The second within seconds of the first: a role may still show a certificate of the one, or of neither.
    for (const epoch of [2, 3]) await release.install({ crossings: { helm: { epoch } } });
    for (const [pod, count] of before)
      await until(`new certificates in ${pod}`, async () => (await reads(pod)) > count || undefined, PATIENCE_MS);
    assert.deepEqual(await lost(api, kept.slice(0, 3)), []);
    assert.equal(JSON.stringify(await Promise.all(ROLES.map((role) => release.identity(role)))), running);
  });

  tellApiCertificate(step, site);
  tellExpired(step, site);

  step('is uninstalled but for its volumes', async () => {
    ({ nodeId } = await api.json<{ nodeId: string }>('GET', '/v1/node'));
    api.close();
    await release.uninstall();
    for (const role of ROLES)
      await until(`no ${role}`, async () => (await release.countPods(role)) === 0 || undefined, PATIENCE_MS);
    const expected = [
      'configmap/kube-root-ca.crt',
      ...['audit', 'rollup', 'store'].map((role) => `persistentvolumeclaim/data-nectar-${role}-0`),
      ...['secret/owner', 'secret/root-key', 'serviceaccount/default'],
    ];
    const look = async (): Promise<string[]> => {
      const left = await kubectl(['-n', release.namespace, 'get', 'all,secret,cm,netpol,pdb,sa,pvc', '-o', 'name']);
      return left.stdout.trim().split('\n').sort();
    };
    // What belonged to something that is gone is collected some moments later.
    let names = await look();
    for (let tries = 1; tries < TRIES && names.length > expected.length; tries++) {
      await sleep(2_000);
      names = await look();
    }
    assert.deepEqual(names, expected);
  });

  tellLostVolume(step, site);

  step('is the same node on the volumes that it left, with all its records', async () => {
    api = await release.api();
    assert.equal((await api.json<{ nodeId: string }>('GET', '/v1/node')).nodeId, nodeId);
    assert.deepEqual(await lost(api, kept), []);
  });

  step('runs under a user that the platform has drawn, with certificates of cert-manager', async () => {
    drawn = new Release('nectar-drawn', { ...values, ...MANAGED, ...reachedBy('nectar-drawn', address) });
    await drawn.prepare();
    await makeSiteIssuer(drawn.namespace);
    await drawn.applyAs(1_000_680_000);
    for (const role of ROLES)
      await until(`ready ${role}`, async () => (await drawn.isReady(role)) || undefined, PATIENCE_MS);
    const user = await drawn.runIn('nectar-store-0', 'console.log(process.getuid(), process.getgid())');
    assert.equal(user.trim(), '1000680000 0');
  });

  step('takes what cert-manager renews without a restart and without a failed request', () => watchRenewal(drawn));

  step('has its records replicated by the node of another namespace', async () => {
    const peer = await drawn.api();
    await joinNetwork(peer, devnet, signal);
    const { peerId } = await peer.json<{ peerId: string }>('GET', '/v1/node');
    peer.close();
    await until(
      'a replica at the other node',
      async () => {
        const { records } = await api.json<{ records: { replicas: string[] }[] }>('GET', '/v1/records?limit=100');
        return records.some(({ replicas }) => replicas.includes(peerId)) || undefined;
      },
      PATIENCE_MS,
    );
    api.close();
  });

  return { start, end };
}

/** Ports of the machine under which peers reach a node. */
const PEER_PORTS: Readonly<Record<string, number>> = { 'nectar-node': 30_464, 'nectar-drawn': 30_465 };

const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

function reachedBy(namespace: string, address: string) {
  const nodePort = PEER_PORTS[namespace];
  return { rollup: { p2p: { type: 'NodePort', nodePort, announce: [`/ip4/${address}/tcp/${nodePort}`] } } };
}

/** Funds the operator, applies, and waits until the auditors have admitted the node. */
async function joinNetwork(api: NodeApi, devnet: string, signal: AbortSignal): Promise<void> {
  const network = () => api.json<Network>('GET', '/v1/network').catch(() => undefined);
  const { operator } = await until('the operator account', network, PATIENCE_MS);
  await devnetFund(devnet, { to: operator as `0x${string}`, ether: '10', signal });
  await until(
    'the deposit',
    async () => {
      const call = { jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [operator, 'latest'] };
      const { result } = await api.json<{ result: string }>('POST', '/rpc', call);
      return BigInt(result) > 0n ? true : undefined;
    },
    PATIENCE_MS,
  );
  await api.json('POST', '/v1/network/join');
  await until(
    'the auditors',
    async () => {
      const now = await network();
      return now !== undefined && isAuthorized(now) ? true : undefined;
    },
    PATIENCE_MS,
  );
}
