import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { devnetFolder } from './home-folder.ts';
import type { InitTarget } from './init-target.ts';
import { askForInit, LOOPBACK, type WizardAnswers } from './init-wizard.ts';
import { checkPassphrase, readPassphrase } from './passphrase.ts';
import type { Check } from './preflight.ts';
import { renderChecks } from './render/checks.ts';
import type { Output } from './render/output.ts';
import { isInteractive } from './terminal.ts';
import type { InitUnlock } from './unlock-offers.ts';

export interface InitOptions extends ClusterOptions {
  readonly network: string;
  readonly target?: InitTarget;
  readonly unlock?: InitUnlock;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly host?: string;
  readonly port?: number;
  readonly p2pPort?: number;
  readonly offer?: number;
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

/** Whether a person sits there who wants to be asked. */
function asks({ options, terminal, output }: Call<InitOptions>): boolean {
  return options.yes !== true && options.plan !== true && !output.json && isInteractive(terminal);
}

/** Where it runs: as the command line says; asked where a container engine answers; else a process. */
export async function chooseTarget(call: Call<InitOptions>): Promise<InitTarget> {
  const { options, terminal } = call;
  if (options.target !== undefined) return options.target;
  if (!asks(call) || options.snapshot !== undefined || options.rbac === true || options.emit !== undefined)
    return 'process';
  const { askTarget, engineAnswers } = await import('./init-target.ts');
  return (await engineAnswers(terminal, options.engine)) ? askTarget(terminal) : 'process';
}

/** From the command line, and from whoever sits there. */
export async function chooseAnswers(call: Call<InitOptions>): Promise<WizardAnswers> {
  const { home, options, terminal } = call;
  const { network, unlock, keyFile, port, p2pPort, offer } = options;
  const devnet = devnetFolder(terminal, options.devnet);
  // In a cluster a Service is reached, never an address of this machine.
  const host = options.host ?? (options.target === 'kubernetes' ? LOOPBACK : undefined);
  const given = { home, devnet, network, host, names: options.name, unlock, keyFile, port, p2pPort, offer };
  const chosen = asks(call)
    ? await askForInit(given, terminal)
    : { ...given, host: host ?? LOOPBACK, unlock: unlock ?? defaultUnlock(options), passphrase: undefined };
  return { ...chosen, names: withAddress(chosen.host, chosen.names) };
}

/** An address that clients are told to use belongs into the certificate. */
function withAddress(host: string, names: readonly string[]): readonly string[] {
  const isNone = ['0.0.0.0', '::', LOOPBACK, '::1', 'localhost'].includes(host) || names.includes(host);
  return isNone ? names : [host, ...names];
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
