import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../appliance/keys/index.ts';
import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import { requireDuration } from './commands/up.ts';
import { homeFolder, refuseExisting } from './home-folder.ts';
import { chooseAnswers, type InitOptions, passphraseFor, refuseUnfit } from './init-answers.ts';
import { finishInit, initDocker } from './provision/docker/init-docker.ts';
import { openEngine } from './provision/docker/open-engine.ts';
import { planDocker } from './provision/docker/plan-docker.ts';
import { preflightDocker } from './provision/docker/preflight-docker.ts';
import { findTarget } from './provision/docker/target-file.ts';
import type { InitResult } from './provision/process/init-node.ts';
import { findL1 } from './provision/process/plan-home.ts';
import { renderNext, renderPlan } from './render/plan.ts';
import { VERSION } from './version.ts';

/** `init --target docker`: plan, preflight, then the work; or what an interrupted one left to do. */
export async function initOnDocker(call: Call<InitOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  const timeoutMs = requireDuration(options.timeout);
  const begun = findTarget(home);
  if (begun?.state !== 'creating') refuseExisting(home);
  const engine = openEngine(terminal, options.engine ?? begun?.engine);
  const chosen = await chooseAnswers(call);
  requireFitForContainers(chosen.unlock);
  const plan = await planDocker(chosen, { engine, version: VERSION, terminal });
  const { names } = chosen;
  const base = { plan, engine, version: VERSION, emit: options.emit === 'compose', names, timeoutMs, terminal, output };
  if (begun !== undefined) {
    output.note('Going on where an interrupted init stopped.');
    showResult(call, await finishInit({ ...base, passphrase: undefined }));
    return;
  }
  const checks = await preflightDocker(engine, plan, { terminal, l1Rpc: findL1(plan) });
  if (options.plan === true) {
    output.result({ plan, checks }, () => renderPlan(plan, checks, output));
    return;
  }
  const missing = Object.values(plan.images).find(({ id }) => id === undefined);
  if (missing !== undefined) throw new NectarError('CLI_IMAGE_MISSING', { image: missing.name, engine: engine.url });
  refuseUnfit(checks, output);
  const passphrase = await passphraseFor(plan.unlock, chosen.passphrase, call);
  const keyFileIsOurs = plan.keyFile !== undefined && !existsSync(plan.keyFile);
  showResult(call, await initDocker({ ...base, passphrase, keyFileIsOurs }));
}

function showResult({ home, terminal, output, options }: Call<InitOptions>, made: InitResult): void {
  const compose = options.emit === 'compose' ? join(home, 'compose.yaml') : undefined;
  output.result({ ...made, ...(compose !== undefined && { compose }) }, () =>
    compose === undefined
      ? renderNext(made, home === homeFolder(terminal, undefined))
      : `${compose} is written. Start the node with: docker compose -f ${compose} up -d`,
  );
}

/** The store of a node in containers starts no programs. @throws NectarError KEY_PROVIDER_UNSUPPORTED */
function requireFitForContainers(unlock: string): void {
  if (PROVIDERS.some(({ name, programs }) => name === unlock && programs))
    throw new NectarError('KEY_PROVIDER_UNSUPPORTED', { provider: unlock });
}
