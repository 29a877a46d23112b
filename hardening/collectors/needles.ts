/** Something to be looked for in bytes. */
export interface Needle {
  /** What it is a sign of: `canary`, `FHIR`, `HL7`. */
  readonly sign: string;
  readonly bytes: Buffer;
}

/** Bytes of DICOM's preamble, before its prefix (PS3.10, 7.1); usually zeros. */
const DICOM_PREAMBLE_BYTES = 128;
const DICOM_ZEROS = 32;

/** A marker of letters and digits in each form in which a careless program would leave it: a compressed one is not found. */
export function markerNeedles(sign: string, marker: string): Needle[] {
  const bytes = Buffer.from(marker, 'latin1');
  const hex = bytes.toString('hex');
  const swapped = [...marker].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()));
  const forms = [
    bytes,
    Buffer.from(bytes).reverse(),
    Buffer.from(swapped.join(''), 'latin1'),
    Buffer.from(marker.toLowerCase(), 'latin1'),
    Buffer.from(marker.toUpperCase(), 'latin1'),
    Buffer.from(hex, 'latin1'),
    Buffer.from(hex.toUpperCase(), 'latin1'),
    Buffer.from(marker, 'utf16le'),
    Buffer.from(marker, 'utf16le').swap16(),
    ...[0, 1, 2].flatMap((shift) => base64Forms(bytes, shift)),
  ];
  const known = new Map(forms.map((form) => [form.toString('hex'), form]));
  return [...known.values()].map((form) => ({ sign, bytes: form }));
}

/** What begins documents of the formats of clinical data. DICOM's prefix counts after its zeros only: four letters are everywhere. */
export function clinicalNeedles(): Needle[] {
  return [
    { sign: 'FHIR', bytes: Buffer.from('"resourceType"') },
    { sign: 'FHIR', bytes: Buffer.from('xmlns="http://hl7.org/fhir"') },
    { sign: 'HL7', bytes: Buffer.from('MSH|^~\\&') },
    { sign: 'DICM', bytes: Buffer.concat([Buffer.alloc(DICOM_ZEROS), Buffer.from('DICM')]) },
  ];
}

/** DICOM's prefix where a file has it, whatever its preamble holds. */
export const DICOM_AT_START = { sign: 'DICM', at: DICOM_PREAMBLE_BYTES, bytes: Buffer.from('DICM') } as const;

/** The part of its base64 that does not depend on its neighbours, where `shift` bytes of a group lie before it. */
function base64Forms(bytes: Buffer, shift: number): Buffer[] {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
  const text = padded.toString('base64').replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor((padded.length * 8) / 6);
  const inner = text.slice(first, last);
  return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')].map((form) => Buffer.from(form, 'latin1'));
}
