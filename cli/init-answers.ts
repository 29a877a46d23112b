import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { devnetFolder } from './home-folder.ts';
import { askForInit, type WizardAnswers } from './init-wizard.ts';
import { checkPassphrase, readPassphrase } from './passphrase.ts';
import type { Check } from './preflight.ts';
import { renderChecks } from './render/checks.ts';
import type { Output } from './render/output.ts';
import { isInteractive } from './terminal.ts';
import type { InitUnlock } from './unlock-offers.ts';

export interface InitOptions extends ClusterOptions {
  readonly network: string;
  readonly target: 'process' | 'docker' | 'kubernetes';
  readonly unlock?: InitUnlock;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly host: string;
  readonly port?: number;
  readonly p2pPort?: number;
  readonly name: readonly string[];
  readonly devnet?: string;
  readonly timeout: string;
  readonly snapshot?: string;
  readonly engine?: string;
  /** `compose`; in Kubernetes, a folder. */
  readonly emit?: string;
  readonly rbac?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
}

/** From the command line, and from whoever sits there. */
export function chooseAnswers({ home, options, terminal, output }: Call<InitOptions>): Promise<WizardAnswers> {
  const asks = options.yes !== true && options.plan !== true && !output.json && isInteractive(terminal);
  const { network, host, unlock, keyFile, port, p2pPort } = options;
  const devnet = devnetFolder(terminal, options.devnet);
  const given = { home, devnet, network, host, unlock, keyFile, port, p2pPort };
  if (asks) return askForInit(given, terminal);
  return Promise.resolve({ ...given, unlock: unlock ?? defaultUnlock(options), passphrase: undefined });
}

/** Shows what was found. @throws NectarError CLI_PREFLIGHT_REFUSED */
export function refuseUnfit(checks: readonly Check[], output: Output): void {
  output.note(`\n${renderChecks(checks, output)}\n`);
  const failed = checks.filter(({ grade }) => grade === 'bad').map(({ name, value }) => `${name}: ${value}`);
  if (failed.length > 0) throw new NectarError('CLI_PREFLIGHT_REFUSED', { checks: failed });
}

/** The passphrase of a new node; undefined where something else opens it. */
export async function passphraseFor(
  unlock: InitUnlock,
  chosen: Uint8Array | undefined,
  { options, terminal }: Call<InitOptions>,
): Promise<Uint8Array | undefined> {
  if (unlock !== 'passphrase') return undefined;
  const passphrase = chosen ?? (await readPassphrase(terminal, options.passphraseFile));
  await checkPassphrase(passphrase);
  return passphrase;
}

/** A passphrase at hand says what is wanted; otherwise a key file lets the node start by itself. */
function defaultUnlock({ passphraseFile }: InitOptions): InitUnlock {
  return passphraseFile === undefined ? 'file' : 'passphrase';
}
