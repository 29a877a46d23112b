import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradePods } from '../../../../cli/provision/kubernetes/examine-cluster.ts';
import { findPodFailure, parsePods } from '../../../../cli/provision/kubernetes/pod-states.ts';
import { gradeNamespace, gradeStorage } from '../../../../cli/provision/kubernetes/preflight-kubernetes.ts';
import { choosePod } from '../../../../cli/provision/kubernetes/reach-gateway.ts';

const pod = (role: string, status: object, metadata: object = {}): object => ({
  metadata: { name: `clinic-${role}-0`, labels: { 'app.kubernetes.io/component': role }, ...metadata },
  spec: { nodeName: 'worker-1', containers: [{ name: role, image: `nectar-byon-${role}:0.1.0` }] },
  status: { phase: 'Running', ...status },
});
const ready = { containerStatuses: [{ ready: true, restartCount: 1, state: { running: {} } }] };
const list = (...items: object[]): object => ({ items });
const waiting = (reason: string, lastState: object = {}): object => ({
  containerStatuses: [
    { ready: false, restartCount: 4, state: { waiting: { reason, message: 'back-off' } }, lastState },
  ],
});

test('reads pods with their role, and passes over those of nobody', () => {
  const [one, ...more] = parsePods(list(pod('store', ready), pod('helm-test', ready)));
  assert.deepEqual(more, []);
  const { failure, ...rest } = one ?? assert.fail();
  assert.equal(failure, undefined);
  assert.deepEqual(rest, {
    ...{ pod: 'clinic-store-0', role: 'store', image: 'nectar-byon-store:0.1.0', machine: 'worker-1' },
    ...{ phase: 'Running', ready: true, restarts: 1, reason: undefined, isStuck: false },
  });
});

test('a pod that cannot start is named with the reason of the cluster', () => {
  const pods = parsePods(list(pod('store', ready), pod('audit', waiting('ErrImageNeverPull'))));
  assert.equal(findPodFailure(pods)?.message, 'the pod clinic-audit-0 does not start: ErrImageNeverPull: back-off');
});

test('a role that ends with an error is told by that error', () => {
  const error = { code: 'KEY_FILE_MISSING', message: 'x', data: { path: '/run/secrets/nectar/root-key' } };
  const message = `{"level":"info","msg":"stopped"}\n${JSON.stringify({ error })}\n`;
  const pods = parsePods(list(pod('store', waiting('CrashLoopBackOff', { terminated: { message } }))));
  assert.equal(findPodFailure(pods)?.code, 'KEY_FILE_MISSING');
});

test('a pod that is still coming is no failure', () => {
  const unscheduled = {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', message: 'no volume' }],
  };
  const pods = parsePods(list(pod('store', waiting('ContainerCreating')), pod('rollup', unscheduled)));
  assert.equal(findPodFailure(pods), undefined);
  assert.equal(pods.find(({ role }) => role === 'rollup')?.reason, 'no volume');
});

test('the doctor calls a role without a ready pod bad, and a restless one poor', () => {
  const pods = parsePods(list(pod('gateway', ready), pod('store', waiting('CrashLoopBackOff')), pod('audit', ready)));
  assert.deepEqual(
    gradePods(pods).map(({ name, grade }) => `${name} ${grade}`),
    ['gateway pod good', 'store pod bad', 'audit pod good', 'rollup pod bad'],
  );
});

test('the preflight wants a storage class that is there', () => {
  const classes = [
    { name: 'fast', isDefault: false },
    { name: 'standard', isDefault: true },
  ];
  assert.equal(gradeStorage(classes, undefined).value, 'standard');
  assert.equal(gradeStorage(classes, 'fast').grade, 'good');
  assert.equal(gradeStorage(classes, 'slow').grade, 'bad');
  assert.equal(gradeStorage([], undefined).grade, 'bad');
});

test('the preflight says which standard the namespace enforces', () => {
  assert.equal(gradeNamespace('clinic', 'restricted').grade, 'good');
  assert.equal(gradeNamespace('clinic', 'baseline').grade, 'poor');
  assert.match(gradeNamespace('clinic', '').value, /enforces no standard/);
});

test('the way leads into a ready gateway, into one that is locked, and into none that ends', () => {
  const named = (name: string, status: object, metadata: object = {}): object =>
    pod('gateway', status, { name, labels: { 'app.kubernetes.io/component': 'gateway' }, ...metadata });
  const locked = { containerStatuses: [{ ready: false, restartCount: 0, state: { running: {} } }] };
  const leaving = { deletionTimestamp: '2026-11-30T03:00:00Z' };
  assert.equal(choosePod(parsePods(list(named('a', locked), named('b', ready)))), 'b');
  assert.equal(choosePod(parsePods(list(named('a', locked), named('b', ready, leaving)))), 'a');
  assert.equal(choosePod(parsePods(list(named('a', waiting('CrashLoopBackOff'))))), undefined);
  assert.equal(choosePod(parsePods(list(pod('store', ready)))), undefined);
});
