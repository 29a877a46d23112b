import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeL1 } from '../../../../appliance/rollup/l1/describe-l1.ts';
import { createEndpoints } from '../../../../appliance/rollup/l1/endpoints.ts';
import { describeL1 as describeForStatus } from '../../../../appliance/status/l1.ts';
import { gradeStatus } from '../../../../cli/commands/doctor.ts';
import { renderStatus } from '../../../../cli/commands/status.ts';
import { PLAIN } from '../../../../hardening/report/terminal/text.ts';

const AT = { ...PLAIN, now: 0 };

const NODE = {
  ...{ ready: true, reasons: [], locked: false, nodeId: 'aa', peerId: 'pp', network: 'devnet', version: '1' },
  ...{ uptimeSeconds: 1, roles: ['rollup'], l2: null, peers: null, records: null, audit: null, anchored: null },
};
const URLS = ['https://user:secret@one.example/v3/KEY', 'https://two.example:8545/KEY?token=KEY'];
const WAITING = 'waiting for the data of batch 7: beacon node 1: it does not have it';

type L1 = ReturnType<typeof describeL1>;
const shown = (l1: L1): string => renderStatus({ ...NODE, l1: describeForStatus(l1) }, 'https://localhost', AT);
const graded = (l1: L1) => gradeStatus({ ...NODE, l1: describeForStatus(l1) }).find(({ name }) => name === 'L1');

test('endpoints are shown by origin: no credentials, no path', () => {
  const l1 = describeL1(9n, createEndpoints(URLS).list(), {});
  assert.deepEqual(
    l1.endpoints.map(({ url, standing }) => [url, standing]),
    [
      ['https://one.example', 'uncompared'],
      ['https://two.example:8545', 'uncompared'],
    ],
  );
  const all = `${JSON.stringify(l1)}${shown(l1)}${JSON.stringify(graded(l1))}`;
  assert.doesNotMatch(all, /secret|KEY|v3/);
});

test('one endpoint is named, and nothing is said of a standing that it cannot have', () => {
  const l1 = describeL1(9n, createEndpoints(URLS.slice(0, 1)).list(), {});
  assert.match(shown(l1), /L1 +derived up to L1 block 9, from https:\/\/one\.example alone/);
  assert.equal(graded(l1)?.grade, 'good');
});

test('an endpoint that lags or is silent is poor, one that contradicts what was verified is bad', () => {
  const endpoints = createEndpoints(URLS);
  endpoints.judge(0, { standing: 'good', head: 30n, lag: 0n });
  endpoints.judge(1, { standing: 'lagging', head: 20n, lag: 10n });
  let l1 = describeL1(30n, endpoints.list(), {});
  assert.match(shown(l1), /1 of 2 endpoints good[\s\S]*https:\/\/two\.example:8545 is 10 blocks behind/);
  assert.equal(graded(l1)?.grade, 'poor');
  endpoints.failed(1, 'nothing listens there');
  endpoints.judge(1, { standing: 'silent' });
  l1 = describeL1(30n, endpoints.list(), {});
  assert.match(shown(l1), /two\.example:8545 does not answer \(nothing listens there\)/);
  endpoints.judge(1, { standing: 'disagrees', head: 30n, lag: 0n });
  l1 = describeL1(30n, endpoints.list(), {});
  assert.match(shown(l1), /two\.example:8545 contradicts L1 blocks that were verified: it is not asked/);
  const check = graded(l1);
  assert.equal(check?.grade, 'bad');
  assert.match(check?.advice ?? '', /rollup\.l1RpcUrls/);
});

test('a batch without data, and a disagreement about a deep reorg, are said with what to do', () => {
  const one = createEndpoints(URLS).list();
  const waiting = describeL1(9n, one, { waiting: WAITING });
  assert.match(shown(waiting), /waiting for the data of batch 7/);
  assert.equal(graded(waiting)?.grade, 'bad');
  assert.match(graded(waiting)?.advice ?? '', /beacon node/);
  const split = describeL1(9n, one, { disagreement: 'the L1 endpoints disagree about block 3' });
  assert.match(shown(split), /disagree about block 3/);
  assert.equal(graded(split)?.grade, 'bad');
});

test('of a node that does not know its L1 yet nothing is said', () => {
  assert.doesNotMatch(renderStatus({ ...NODE, l1: null }, 'https://localhost', AT), /\bL1 /);
});
