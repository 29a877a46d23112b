import { createPrivateKey, createPublicKey, type KeyObject, sign as signBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMessage, decryptKey, type PrivateKey, readPrivateKey, sign } from 'openpgp';
import { envelopeKeyOf } from '../../cli/release/release-keys.ts';
import { encodeDigestList, type ReleaseFiles } from '../../cli/release/verify-release.ts';
import { writeFile } from '../../images/bundle-folder.ts';
import { encodeEnvelope, IN_TOTO_PAYLOAD, preAuthEncoding } from '../../protocol/release/dsse.ts';
import { encodeStatement, type Provenance } from '../../protocol/release/statement.ts';
import { KEY_FILES } from './make-keys.ts';

export interface SigningKeys {
  readonly ed25519: KeyObject;
  readonly openpgp: PrivateKey;
}

/** The secrets that `makeReleaseKeys` left in `folder`. */
export async function openSigningKeys(folder: string, passphrase: string | undefined): Promise<SigningKeys> {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const ed25519 = createPrivateKey({ key: read(KEY_FILES.ed25519), ...(passphrase !== undefined && { passphrase }) });
  const locked = await readPrivateKey({ armoredKey: read(KEY_FILES.openpgp) });
  if (locked.isDecrypted()) return { ed25519, openpgp: locked };
  return { ed25519, openpgp: await decryptKey({ privateKey: locked, passphrase: passphrase ?? '' }) };
}

/** Writes the statement of `provenance` in its envelope, the list of its artifacts, and the list's OpenPGP signature. */
export async function signFiles(
  provenance: Provenance,
  { folder, files, keys }: { readonly folder: string; readonly files: ReleaseFiles; readonly keys: SigningKeys },
): Promise<void> {
  const payload = encodeStatement(provenance);
  const { keyid } = envelopeKeyOf(createPublicKey(keys.ed25519).export({ type: 'spki', format: 'pem' }).toString());
  const sig = signBytes(null, preAuthEncoding(IN_TOTO_PAYLOAD, payload), keys.ed25519);
  const envelope = encodeEnvelope({ payloadType: IN_TOTO_PAYLOAD, payload, signatures: [{ keyid, sig }] });
  const list = encodeDigestList(provenance.subjects);
  const message = await createMessage({ binary: Buffer.from(list) });
  const armoured = await sign({ message, signingKeys: keys.openpgp, detached: true });
  writeFile(join(folder, files.provenance), envelope);
  writeFile(join(folder, files.list), list);
  writeFile(join(folder, files.openpgp), String(armoured));
}
