import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import type { Service } from '../service.ts';
import { renewableClientToken } from './client-token.ts';
import { createRenewal, type Renewable, type RenewalDependencies } from './renewal.ts';
import { certificateNames, isRenewalDue, renewServerCertificate, type ServerCertificate } from './tls.ts';
import type { Tokens } from './tokens.ts';

export interface CertificateFiles {
  /** PEM. */
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** Whoever holds the CA's key: the process that has the keys. */
export type IssueCertificate = (request: {
  readonly hostName: string;
  readonly names: readonly string[];
  readonly now: number;
}) => Promise<ServerCertificate>;

/** The gateway's certificate as something to renew: issued anew for the same names, put in place, taken into use. */
function renewableCertificate(
  { certificatePath, keyPath }: CertificateFiles,
  { issue, reload }: { readonly issue: IssueCertificate; readonly reload: () => Promise<void> },
): Renewable {
  const current = (): Promise<string> => readFile(certificatePath, 'utf8');
  return {
    name: 'certificate',
    isDue: async (now) => isRenewalDue(await current(), now),
    async renew(now) {
      const names = certificateNames(await current());
      const made = await issue({ hostName: hostname(), names, now });
      // Key first: with a crash in between they do not match, and the command line's next `up` makes both anew.
      await replaceFile(keyPath, made.serverKey, 0o600);
      await replaceFile(certificatePath, made.serverCertificate, 0o644);
      await reload();
    },
  };
}

/** Issues with the CA's key, unsealed for this one use. A machine whose name the CA's constraints exclude goes without it. */
export function issueByCa(options: {
  readonly nodeId: string;
  readonly caPath: string;
  readonly openCaKey: () => Promise<Uint8Array>;
}): IssueCertificate {
  return async ({ hostName, names, now }) => {
    const caCertificate = await readFile(options.caPath, 'utf8');
    const caKey = await options.openCaKey();
    const issue = (name: string): Promise<ServerCertificate> =>
      renewServerCertificate({ nodeId: options.nodeId, hostName: name, names, now, caCertificate, caKey });
    try {
      return await issue(hostName).catch((error: unknown) => {
        if (!(error instanceof NectarError) || error.code !== 'GATEWAY_CERTIFICATE_NAME_EXCLUDED') throw error;
        return issue('localhost');
      });
    } finally {
      caKey.fill(0);
    }
  };
}

export interface GatewayRenewalOptions extends CertificateFiles {
  /** The command line's token, where it lies in the same home; undefined in a container. */
  readonly clientTokenPath: string | undefined;
}

export interface GatewayRenewalDependencies extends RenewalDependencies {
  readonly issue: IssueCertificate;
  readonly reload: () => Promise<void>;
  readonly tokens: Pick<Tokens, 'issue'>;
}

/** Keeps a gateway that nobody restarts for years reachable: its certificate, and the command line's token. Start it once unlocked. */
export function createGatewayRenewal(options: GatewayRenewalOptions, deps: GatewayRenewalDependencies): Service {
  const { clientTokenPath } = options;
  return createRenewal(
    [
      renewableCertificate(options, deps),
      ...(clientTokenPath === undefined ? [] : [renewableClientToken(clientTokenPath, deps.tokens)]),
    ],
    deps,
  );
}
