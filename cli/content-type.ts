import { extname } from 'node:path';

/** How much of a file's beginning the guess looks at. */
export const GUESS_HEAD_BYTES = 64 * 1024;

const BY_EXTENSION: Readonly<Record<string, string>> = {
  '.dcm': 'application/dicom',
  '.pdf': 'application/pdf',
  '.xml': 'application/xml',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
  '.ndjson': 'application/fhir+ndjson',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
};

/** A DICOM part 10 file has `DICM` after a preamble of 128 bytes (PS3.10 section 7.1). */
function isDicom(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(128, 132)).toString('latin1') === 'DICM';
}

/**
 * A guess for the record's content type from the file's name and its first bytes. Only a label: the bytes are stored as they
 * are, so a wrong guess loses nothing.
 */
export function guessContentType(name: string, head: Uint8Array): string {
  if (isDicom(head)) return 'application/dicom';
  const extension = extname(name).toLowerCase();
  if (extension === '.json') {
    return /"resourceType"\s*:/.test(Buffer.from(head).toString('utf8')) ? 'application/fhir+json' : 'application/json';
  }
  return BY_EXTENSION[extension] ?? 'application/octet-stream';
}
