import { parseAllDocuments } from 'yaml';
import { type Document, openDocument } from '../document.ts';

const MAX_MANIFEST_CHARS = 32 * 1024 * 1024;
const MAX_ALIASES = 100;

/** One object of a rendering. */
export interface KubeObject {
  readonly kind: string;
  readonly name: string;
  /** Empty where it names none. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly document: Document;
}

/** The objects of YAML or JSON as `helm template` and `kubectl get -o yaml` write it; lists are taken apart. Throws what is wrong. */
export function parseManifests(text: string): KubeObject[] {
  if (text.length > MAX_MANIFEST_CHARS)
    throw new Error(`the manifests are longer than ${MAX_MANIFEST_CHARS} characters`);
  const parsed = parseAllDocuments(text);
  const documents = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document, index) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(`manifest ${index + 1}: ${problem.message.split('\n')[0]}`);
    return kubeObjectsOf(openDocument(document.toJS({ maxAliasCount: MAX_ALIASES }), ''), index + 1);
  });
}

/** The objects of a document, or of the list that it is; `index` names it in what is thrown. */
export function kubeObjectsOf(document: Document, index = 1): KubeObject[] {
  // Nothing but comments between two lines of dashes.
  if (document.isAbsent) return [];
  const kind = document.in('kind').textOr('');
  if (kind === '') throw new Error(`manifest ${index} has no kind`);
  if (kind.endsWith('List') && !document.in('items').isAbsent) {
    return document
      .in('items')
      .items()
      .flatMap((item) => kubeObjectsOf(openDocument(item.raw()), index));
  }
  const metadata = document.in('metadata');
  const name = metadata.in('name').textOr('') || metadata.in('generateName').textOr('');
  const at = openDocument(document.raw(), `${kind} ${name}: `.trim());
  return [
    {
      kind,
      name,
      namespace: metadata.in('namespace').textOr(''),
      labels: textMap(metadata.in('labels')),
      annotations: textMap(metadata.in('annotations')),
      document: at,
    },
  ];
}

export function textMap(document: Document): Map<string, string> {
  return new Map(document.entries().map(([key, value]) => [key, value.text()]));
}
