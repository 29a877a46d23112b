import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createCertificates } from '../../../appliance/gateway/index.ts';
import { objectName } from '../../../cli/provision/docker/role-table.ts';
import { until } from '../../e2e/workplace.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';
import { openSiteProxy, type SiteProxy } from './site-proxy.ts';

interface Status {
  readonly ready: boolean;
  readonly l2: { readonly safe: number };
  readonly reasons: readonly { readonly service: string; readonly reason: string }[];
}
interface Config {
  readonly rollup: { readonly l1RpcUrls: readonly string[]; readonly sequencerRpcUrls: readonly string[] };
}

const UNTRUSTED = /its certificate is not signed by an authority that is trusted here/;

describe('a node in containers behind a proxy', { skip: skipWithoutDocker, timeout: 400_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  const caFile = place.path('site-ca.pem');
  let site: SiteProxy;
  let original: Config;
  let rollup = '';
  let address = '';

  const configure = (more: object): void => {
    const changed = { ...original, rollup: { ...original.rollup, l1RpcUrls: [site.l1Url], ...more } };
    writeFileSync(`${home}/config.json`, JSON.stringify(changed));
  };
  const status = async (): Promise<Status> =>
    JSON.parse((await place.run(['status', '--json', ...at])).stdout.trim().split('\n')[0] ?? '') as Status;
  const put = (): Promise<unknown> => place.json(['put', '--again', caFile, ...at]);

  before(async () => {
    loadImages(DOCKER_SOCKET);
    const { nodeId } = await place.init(home);
    rollup = objectName(nodeId, 'rollup');
    const network = await place.engine.networks.find(objectName(nodeId, 'wan'));
    address = network?.IPAM?.Config?.[0]?.Gateway ?? '';
    original = JSON.parse(readFileSync(`${home}/config.json`, 'utf8')) as Config;
    const made = await createCertificates({ nodeId, hostName: 'site', names: [address], now: Date.now() });
    writeFileSync(caFile, made.caCertificate);
    const l1Port = Number(new URL(original.rollup.l1RpcUrls[0] ?? '').port);
    site = await openSiteProxy({ address, l1Port, tls: { key: made.serverKey, cert: made.serverCertificate } });
  });
  after(async () => {
    site?.close();
    await place.close([home]);
  });

  test('follows L1 through the proxy, by the authority of the site, and in no other way', async () => {
    configure({ proxyUrl: site.proxyUrl, caFile });
    const { ready, changes } = await place.json<{ ready: boolean; changes: { recreated: string[] } }>(['up', ...at]);
    assert.deepEqual([ready, changes.recreated], [true, [rollup]]);
    const { safe } = (await status()).l2;
    // An anchor goes out to the sequencer, and comes back from L1 in a batch.
    await put();
    await until('a batch from L1', async () => ((await status()).l2.safe > safe ? true : undefined), 90_000);

    // As many connections at L1 as the proxy was asked for, and none from the container: no other way was taken.
    const tunnels = () => site.asked.filter((line) => line === `CONNECT ${new URL(site.l1Url).host}`).length;
    assert.ok(tunnels() > 0, site.asked.join());
    await until('as many tunnels as connections', () => (tunnels() === site.callers.length ? true : undefined));
    const sequencer = new URL(original.rollup.sequencerRpcUrls[0] ?? '').host;
    assert.ok(
      site.asked.some((line) => line.endsWith(` ${sequencer}`)),
      site.asked.join(),
    );
    const found = await place.engine.containers.find(rollup);
    const [own] = Object.values(found?.NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress);
    assert.match(own ?? '', /^\d+\./);
    assert.equal(site.callers.includes(own ?? ''), false);
  });

  test('says without the authority that it trusts nobody there', async () => {
    configure({ proxyUrl: site.proxyUrl });
    const refused = await place.error(['up', '--timeout', '15s', ...at]);
    assert.equal(refused.code, 'CLI_NODE_START_TIMEOUT');
    assert.match(refused.message, UNTRUSTED);
    const { ready, reasons } = await status();
    assert.equal(ready, false);
    assert.match(reasons.find(({ service }) => service === 'rollup')?.reason ?? '', UNTRUSTED);
    const doctor = await place.run(['doctor', '--json', ...at]);
    assert.equal(doctor.code, 3);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; value: string; grade: string }[] };
    const check = checks.find(({ name }) => name === 'node');
    assert.equal(check?.grade, 'bad');
    assert.match(check?.value ?? '', UNTRUSTED);
  });

  test('says of a proxy that is not there that nobody listens', async () => {
    configure({ proxyUrl: `http://${address}:9`, caFile });
    assert.match((await place.error(['up', '--timeout', '15s', ...at])).message, /nothing listens there/);
  });

  test('changes nothing for a file of authorities that is not there', async () => {
    configure({ proxyUrl: site.proxyUrl, caFile: place.path('nowhere.pem') });
    const running = (await place.engine.containers.find(rollup))?.Id;
    assert.equal((await place.error(['up', ...at])).code, 'CONFIG_VALUE_INVALID');
    assert.equal((await place.engine.containers.find(rollup))?.Id, running);
  });

  test('goes on when both are right again', async () => {
    configure({ proxyUrl: site.proxyUrl, caFile });
    assert.equal((await place.json<{ ready: boolean }>(['up', ...at])).ready, true);
  });
});
