import { readFileSync, statSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { NectarError } from '../../../protocol/errors.ts';
import { decodeEditedText } from '../../edited-text.ts';

/** A site may trust a handful of own authorities; more is another file. */
const MAX_CA_FILE_BYTES = 1024 * 1024;
/** A devnet and a local Ethereum client are on this machine: no proxy leads there. */
const NEVER_PROXIED = ['localhost', '127.0.0.1', '::1'];

export interface OutboundOptions {
  /** PEM, trusted beside Node's own list and NODE_EXTRA_CA_CERTS; empty: none. */
  readonly caFile: string;
  /** For every call; empty: HTTP_PROXY and HTTPS_PROXY, as NO_PROXY allows. */
  readonly proxyUrl: string;
  /** Usually process.env. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * `fetch` for a site whose way out is a proxy, perhaps one that signs with an authority of its own. The global fetch of Node 24 looks at
 * neither the variables (without NODE_USE_ENV_PROXY) nor at an authority that is configured for one purpose only.
 *
 * @throws NectarError CONFIG_FILE_MISSING, CONFIG_FILE_INVALID for a caFile that is none
 */
export function createOutboundFetch({ caFile, proxyUrl, env }: OutboundOptions): typeof fetch {
  const tls = caFile === '' ? {} : { ca: [...getCACertificates('default'), readCaFile(caFile)] };
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: proxyUrl || env.http_proxy || env.HTTP_PROXY || '',
    httpsProxy: proxyUrl || env.https_proxy || env.HTTPS_PROXY || '',
    noProxy: [...NEVER_PROXIED, env.no_proxy || env.NO_PROXY || ''].filter((entry) => entry !== '').join(','),
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
  });
  // The types of undici's fetch and of Node's own, which is an older undici, differ in name only.
  return ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch;
}

function readCaFile(path: string): string {
  let text: string | undefined;
  try {
    if (statSync(path).size > MAX_CA_FILE_BYTES)
      throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['too large'] });
    text = decodeEditedText(readFileSync(path));
  } catch (error) {
    if (error instanceof NectarError) throw error;
    throw new NectarError('CONFIG_FILE_MISSING', { path }, { cause: error });
  }
  if (text?.includes('-----BEGIN CERTIFICATE-----') === true) return text;
  throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['it holds no certificate in PEM'] });
}
