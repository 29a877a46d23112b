import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import { clusterChoice } from './cluster-options.ts';
import { requireDuration } from './commands/up.ts';
import { homeFolder, refuseExisting } from './home-folder.ts';
import { chooseAnswers, type InitOptions, passphraseFor, refuseUnfit } from './init-answers.ts';
import { findClusterTarget } from './provision/kubernetes/cluster-target.ts';
import { finishClusterInit, initKubernetes } from './provision/kubernetes/init-kubernetes.ts';
import { type ClusterPlan, planKubernetes } from './provision/kubernetes/plan-kubernetes.ts';
import { preflightCluster, preflightOffline } from './provision/kubernetes/preflight-kubernetes.ts';
import { renderRbac } from './provision/kubernetes/rbac.ts';
import { renderNext, renderPlan } from './render/plan.ts';

/** `init --target kubernetes`: plan, preflight, then files for somebody to apply, or the work itself. */
export async function initOnKubernetes(call: Call<InitOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  const choice = clusterChoice(options, terminal);
  if (options.rbac === true) {
    terminal.stdout.write(renderRbac(choice));
    return;
  }
  const timeoutMs = requireDuration(options.timeout);
  const begun = findClusterTarget(home);
  if (begun?.state !== 'creating') refuseExisting(home);
  const chosen = await chooseAnswers(call);
  const plan = await planKubernetes(chosen, choice, terminal);
  const base = { plan, names: chosen.names, timeoutMs, terminal, output };
  if (begun !== undefined) {
    output.note('Going on where an interrupted init stopped.');
    await finishClusterInit({ ...base, passphrase: undefined });
    output.result({ home, ...begun, state: 'ready' }, `the node of ${home} runs`);
    return;
  }
  const emitTo = options.emit === undefined ? undefined : resolve(terminal.workingFolder, options.emit);
  if (emitTo !== undefined && existsSync(emitTo)) throw new NectarError('CLI_OUTPUT_EXISTS', { path: emitTo });
  const checks = await (emitTo === undefined ? preflightCluster : preflightOffline)(plan, terminal);
  if (options.plan === true) {
    output.result({ plan, checks }, () => renderPlan(plan, checks, output));
    return;
  }
  refuseUnfit(checks, output);
  const passphrase = await passphraseFor(plan.unlock, chosen.passphrase, call);
  const made = await initKubernetes({ ...base, passphrase, emitTo });
  const usual = home === homeFolder(terminal, undefined);
  output.result({ ...made, ...(emitTo !== undefined && { emitted: emitTo }) }, () =>
    emitTo === undefined ? renderNext(made, usual) : emittedText(plan, emitTo),
  );
  if (plan.keyFile !== undefined)
    output.note(`\nThe key that opens the node is in ${plan.keyFile} too: keep it where the cluster is not.`);
}

function emittedText({ home, cluster }: ClusterPlan, folder: string): string {
  return `written to ${folder}: README.md says what to apply in which order

Afterwards, with the home in ${home}:
  nectar-byon status --home ${home}        # through your kubectl, in namespace ${cluster.namespace}`;
}
