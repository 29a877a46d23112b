import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubectl, kubectlError } from '../../../../cli/provision/kubernetes/kubectl.ts';
import type { RunTool, ToolResult } from '../../../../cli/provision/kubernetes/run-tool.ts';
import { runTool } from '../../../../cli/provision/kubernetes/run-tool.ts';

const signal = new AbortController().signal;
const failing = (stderr: string): ToolResult => ({ code: 1, stdout: '', stderr });
const codeOf = (stderr: string): string =>
  kubectlError(failing(stderr), { doing: 'kubectl get pods', context: 'c' }).code;

test('tells what kubectl says apart', () => {
  assert.equal(codeOf('error: context "x" does not exist'), 'CLUSTER_CONTEXT_UNKNOWN');
  assert.equal(
    codeOf('The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?'),
    'CLUSTER_UNREACHABLE',
  );
  assert.equal(
    codeOf('Unable to connect to the server: dial tcp: lookup k8s.example: no such host'),
    'CLUSTER_UNREACHABLE',
  );
  assert.equal(
    codeOf('Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods"'),
    'CLUSTER_FORBIDDEN',
  );
  assert.equal(codeOf('error: You must be logged in to the server (Unauthorized)'), 'CLUSTER_FORBIDDEN');
  assert.equal(codeOf('Error from server (NotFound): services "x" not found'), 'CLUSTER_REFUSED');
});

test('leaves warnings out of the reason, and never the reason itself', () => {
  const text = 'Warning: would violate PodSecurity\nW1130 03:00:00.1 1 x.go:1] skew\nerror: no matches for kind "X"';
  const error = kubectlError(failing(text), { doing: 'kubectl apply', context: '' });
  assert.equal(error.message, 'kubectl apply did not succeed: error: no matches for kind "X"');
  assert.match(kubectlError(failing('Warning: only this'), { doing: 'x', context: '' }).message, /only this/);
});

test('a refusal of a policy is one of the cluster, and no lack of rights', () => {
  const text =
    'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: violates PodSecurity';
  assert.equal(codeOf(text), 'CLUSTER_FORBIDDEN');
});

test('gives kubectl the context and the namespace, and what is secret on stdin alone', async () => {
  const calls: { argv: readonly string[]; input: string | undefined; env: unknown }[] = [];
  const run: RunTool = async (argv, { input, env }) => {
    calls.push({ argv, input, env });
    return { code: 0, stdout: '{}', stderr: '' };
  };
  const place = { kubeconfig: '/a:/b', context: 'site', namespace: 'clinic' };
  const kubectl = createKubectl(place, { env: { PATH: '/bin' }, signal, run });
  assert.deepEqual(await kubectl.json(['apply', '-f', '-'], { input: 'secret' }), {});
  assert.deepEqual(calls, [
    {
      argv: ['kubectl', '--context=site', '--namespace=clinic', 'apply', '-f', '-'],
      input: 'secret',
      env: { PATH: '/bin', KUBECONFIG: '/a:/b' },
    },
  ]);
});

test('an answer that is no JSON is an error', async () => {
  const run: RunTool = async () => ({ code: 0, stdout: 'No resources found', stderr: '' });
  const kubectl = createKubectl({ namespace: 'n' }, { env: {}, signal, run });
  await assert.rejects(kubectl.json(['get', 'pods']), { code: 'CLUSTER_ANSWER_INVALID' });
});

test('a program that is not there, says too much, or fails is told apart', async () => {
  const options = { env: process.env, signal, timeoutMs: 60_000, maxBytes: 1000 };
  await assert.rejects(runTool(['nectar-no-such-program'], options), { code: 'CLUSTER_TOOL_MISSING' });
  const long = [process.execPath, '-e', 'process.stdout.write("x".repeat(5000)); setInterval(() => {}, 1000)'] as const;
  await assert.rejects(runTool([...long], options), { code: 'CLUSTER_ANSWER_INVALID' });
  const echo = [process.execPath, '-e', 'process.stdin.pipe(process.stdout); process.exitCode = 3'] as const;
  assert.deepEqual(await runTool([...echo], { ...options, input: 'é' }), { code: 3, stdout: 'é', stderr: '' });
});
