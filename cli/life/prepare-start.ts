import { readFile } from 'node:fs/promises';
import { homePaths, loadConfig } from '../../appliance/config/index.ts';
import { migrateFormat } from '../../appliance/home-format.ts';
import { readPassphrase } from '../passphrase.ts';
import { openKeys } from '../provision/process/open-keys.ts';
import { readRunning } from '../provision/process/running.ts';
import type { Output } from '../render/output.ts';
import { isInteractive, type Terminal } from '../terminal.ts';
import { isCertificateDue, renewCertificate } from './renew-certificate.ts';
import { isClientTokenDue, replaceClientToken } from './renew-client-token.ts';
import { findUnnamedHost } from './served-name.ts';

export interface PrepareStart {
  readonly home: string;
  readonly terminal: Terminal;
  readonly output: Output;
  readonly passphraseFile: string | undefined;
}

export interface PreparedStart {
  readonly migrated: readonly string[];
  readonly renewed: readonly ('certificate' | 'token')[];
  /** Asked for because the renewal needs it: the start needs it again. To be wiped. */
  readonly passphrase: Uint8Array | undefined;
}

/**
 * What has to be right before a node starts: the format of its home, and a certificate and token of the command line that do not end soon. A
 * node that was down over the end of its certificate could not be spoken to, not even to unlock it.
 *
 * @throws NectarError HOME_FORMAT_NEWER, HOME_MIGRATION_FAILED, KEY_FILE_WRONG, KEY_PASSPHRASE_WRONG
 */
export async function prepareStart(request: PrepareStart): Promise<PreparedStart> {
  const { home, terminal, output } = request;
  if (readRunning(home) !== undefined) return { migrated: [], renewed: [], passphrase: undefined };
  const migrated = await migrateFormat(home, {
    onMigration: ({ title }) => output.note(`bringing the home along: ${title}`),
  });
  const unnamed = await findUnnamed(home, terminal);
  const due = {
    certificate: unnamed !== undefined || (await isCertificateDue(home, terminal.now())),
    token: await isClientTokenDue(home, terminal.now()),
  };
  if (!due.certificate && !due.token) return { migrated, renewed: [], passphrase: undefined };
  const { renewed, passphrase } = await renew(request, { ...due, names: unnamed === undefined ? [] : [unnamed] });
  return { migrated, renewed, passphrase };
}

/** The host that the configuration names since, and the certificate does not. */
async function findUnnamed(home: string, { env }: Terminal): Promise<string | undefined> {
  const { gateway } = loadConfig({ home, env }).config;
  const certificate = await readFile(homePaths(home).certificate, 'utf8').catch(() => undefined);
  return certificate === undefined ? undefined : findUnnamedHost(home, { gateway, certificate });
}

async function renew(
  { home, terminal, output, passphraseFile }: PrepareStart,
  due: { certificate: boolean; token: boolean; names: readonly string[] },
): Promise<{ renewed: ('certificate' | 'token')[]; passphrase: Uint8Array | undefined }> {
  const { keyFile } = loadConfig({ home, env: terminal.env }).config.keys;
  const keys = await openKeys({ home, keyFile, now: () => terminal.now(), signal: terminal.signal });
  let passphrase: Uint8Array | undefined;
  try {
    if (keys.state() === 'locked') {
      // Nobody there to ask: it starts with what it has, and says in `doctor` what is wrong.
      if (passphraseFile === undefined && (output.json || !isInteractive(terminal))) return { renewed: [], passphrase };
      passphrase = await readPassphrase(terminal, passphraseFile);
      await keys.unlock({ provider: 'passphrase', passphrase: new Uint8Array(passphrase) });
    }
    const now = (): number => terminal.now();
    if (due.certificate) await renewCertificate({ home, keys, now: now(), names: due.names });
    if (due.token) await replaceClientToken({ home, keys, now });
  } catch (error) {
    passphrase?.fill(0);
    throw error;
  } finally {
    await keys.stop();
  }
  const renewed = (['certificate', 'token'] as const).filter((name) => due[name]);
  output.note(`renewed: ${renewed.join(', ')}`);
  return { renewed, passphrase };
}
