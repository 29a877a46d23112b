import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** ecdsa-with-SHA256, id-at-commonName. */
const ECDSA_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const TAG = { integer: 0x02, bits: 0x03, oid: 0x06, utf8: 0x0c, utcTime: 0x17, sequence: 0x30, set: 0x31 } as const;

/**
 * A certificate that nobody issued, and its key (PEM): what a stranger would show. Made anew each time, so that no key lies in the source
 * that somebody could be let in with.
 */
export function createStrangerCertificate(now: number): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = element(TAG.sequence, element(TAG.oid, Buffer.from(ECDSA_SHA256, 'hex')));
  const name = nameOf('stranger');
  const day = 86_400_000;
  const validity = element(TAG.sequence, utcTime(now - day), utcTime(now + day));
  const serial = element(TAG.integer, Buffer.from([1]));
  const body = element(TAG.sequence, serial, algorithm, name, validity, name, spkiOf(publicKey));
  const signature = element(TAG.bits, Buffer.from([0]), sign('sha256', body, privateKey));
  const certificate = element(TAG.sequence, body, algorithm, signature);
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function nameOf(text: string): Buffer {
  const type = element(TAG.oid, Buffer.from(COMMON_NAME, 'hex'));
  return element(TAG.sequence, element(TAG.set, element(TAG.sequence, type, element(TAG.utf8, Buffer.from(text)))));
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** YYMMDDHHMMSSZ */
function utcTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return element(TAG.utcTime, Buffer.from(`${digits}Z`));
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), value]);
}
