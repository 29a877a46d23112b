// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import type { X509Certificate } from 'node:crypto';
import { KeyUsageFlags, KeyUsagesExtension, X509Certificate as ParsedCertificate } from '@peculiar/x509';
import { NectarError } from '../../protocol/errors.ts';
import { keyHash } from './client-certificate.ts';
import { MAX_LISTS_CHARS } from './client-schemas.ts';
import { PartialListError } from './partial-list.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';

const MAX_LISTS = 16;
const LIST = /-----BEGIN (?:X509 )?CRL-----([A-Za-z0-9+/=\s]+?)-----END (?:X509 )?CRL-----/g;

/** A list, with the authority of the site whose key signed it. */
export interface SignedList {
  readonly pem: string;
  readonly list: RevocationList;
  /** Hash of the authority's key: stays when its certificate is renewed. */
  readonly authority: string;
}

/** @throws NectarError GATEWAY_CLIENT_REVOCATIONS_INVALID, GATEWAY_CLIENT_REVOCATIONS_PARTIAL */
export function parseLists(
  pem: string,
  site: readonly X509Certificate[],
  { foreign }: { readonly foreign: 'refused' | 'left out' },
): SignedList[] {
  const blocks = [...pem.matchAll(LIST)];
  try {
    if (pem.length > MAX_LISTS_CHARS) throw new RangeError(`there are more than ${MAX_LISTS_CHARS} characters`);
    if (blocks.length === 0 && pem.trim() !== '') throw new RangeError('there is no revocation list in PEM');
    if (blocks.length > MAX_LISTS) throw new RangeError(`there are more than ${MAX_LISTS} lists`);
    return blocks.flatMap(([block, base64 = '']) => {
      const list = parseRevocationList(Buffer.from(base64, 'base64'));
      const authority = site.find((one) => mayRevoke(one) && list.isSignedBy(one.publicKey));
      if (authority !== undefined) return [{ pem: `${block}\n`, list, authority: keyHash(authority) }];
      if (foreign === 'refused') throw new RangeError('one is signed by no authority of the site');
      return [];
    });
  } catch (error) {
    if (error instanceof PartialListError) {
      const { kind, extension } = error;
      throw new NectarError('GATEWAY_CLIENT_REVOCATIONS_PARTIAL', { kind, extension }, { cause: error });
    }
    const reason = error instanceof RangeError ? error.message : 'one is damaged';
    throw new NectarError('GATEWAY_CLIENT_REVOCATIONS_INVALID', { reason }, { cause: error });
  }
}

/** RFC 5280, 4.2.1.3: an authority whose certificate says what its key is for says that it is for this, too. */
function mayRevoke(authority: X509Certificate): boolean {
  const usage = new ParsedCertificate(new Uint8Array(authority.raw)).getExtension(KeyUsagesExtension);
  return usage === null || (usage.usages & KeyUsageFlags.cRLSign) !== 0;
}

/** Of each authority. */
export function newestOf(lists: readonly SignedList[]): Map<string, SignedList> {
  const newest = new Map<string, SignedList>();
  for (const one of lists) {
    const known = newest.get(one.authority);
    if (known === undefined || known.list.number <= one.list.number) newest.set(one.authority, one);
  }
  return newest;
}
