/** What an exported record consists of. */
export const TINK_FILES = {
  sealed: 'record.sealed',
  keyset: 'keyset.json',
  associatedData: 'associated-data.bin',
  readme: 'README.txt',
} as const;

const WIDTH = 100;

/** How the folder is opened by somebody who has no Nectar. */
export function tinkReadme(of: {
  readonly record: string;
  readonly version: number;
  readonly warning: string;
}): string {
  const { sealed, keyset, associatedData } = TINK_FILES;
  return `Record ${of.record}, version ${of.version}, exported from a Nectar BYON node.

${wrapped(`WARNING: ${of.warning}`)}

${sealed}         ciphertext: Google Tink streaming AEAD, AES256_GCM_HKDF_1MB
${keyset}           its key: a cleartext Tink keyset
${associatedData}   the associated data: node, record and version

Python (pip install tink), in this folder:

  import shutil, tink
  from tink import secret_key_access, streaming_aead
  streaming_aead.register()
  keys = tink.json_proto_keyset_format.parse(open('${keyset}').read(), secret_key_access.TOKEN)
  aead = keys.primitive(streaming_aead.StreamingAead)
  with aead.new_decrypting_stream(open('${sealed}', 'rb'), open('${associatedData}', 'rb').read()) as plain:
      shutil.copyfileobj(plain, open('record', 'wb'))

Go (github.com/tink-crypto/tink-go/v2: insecurecleartextkeyset, keyset, streamingaead), errors left out:

  handle, _ := insecurecleartextkeyset.Read(keyset.NewJSONReader(keysetFile))
  aead, _ := streamingaead.New(handle)
  plain, _ := aead.NewDecryptingReader(sealedFile, associatedData)

Take what was read for good only once the reader ended without an error.
`;
}

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
}
