/**
 * The few answers of an object store that a repository reads. No general XML: names in a repository need no entities, and whatever has
 * another form is not ours and is passed over.
 */
const CONTENTS = /<Contents>([\s\S]*?)<\/Contents>/g;
const VERSION = /<(?:Version|DeleteMarker)>([\s\S]*?)<\/(?:Version|DeleteMarker)>/g;

export function listedKeys(xml: string): { readonly key: string; readonly bytes: number }[] {
  return [...xml.matchAll(CONTENTS)].flatMap(([, item = '']) => {
    const key = field(item, 'Key');
    const bytes = Number(field(item, 'Size'));
    return key === undefined || !isPlain(key) || !Number.isSafeInteger(bytes) ? [] : [{ key, bytes }];
  });
}

export function listedVersions(xml: string): { readonly key: string; readonly version: string }[] {
  return [...xml.matchAll(VERSION)].flatMap(([, item = '']) => {
    const [key, version] = [field(item, 'Key'), field(item, 'VersionId')];
    return key === undefined || version === undefined || !isPlain(key) ? [] : [{ key, version }];
  });
}

/** Where the next page begins; undefined on the last. */
export function nextToken(xml: string): string | undefined {
  if (field(xml, 'IsTruncated') !== 'true') return undefined;
  return field(xml, 'NextContinuationToken')
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

/** The code of an error answer, such as AccessDenied. */
export function s3ErrorCode(xml: string): string | undefined {
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(xml)?.[1];
}

function field(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function isPlain(key: string): boolean {
  return /^[A-Za-z0-9._/-]+$/.test(key);
}
