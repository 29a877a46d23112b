import { LineCounter, parseAllDocuments } from 'yaml';
import type { Source } from '../../fact-set.ts';
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
  /** Where it begins; absent of what was not read from a file. */
  readonly source?: Source;
}

/** A text of manifests, with the name of its file where it has one. */
export interface ManifestText {
  readonly text: string;
  readonly file?: string;
}

/** The objects of YAML or JSON as `helm template` and `kubectl get -o yaml` write it; lists are taken apart. Throws what is wrong. */
export function parseManifests({ text, file }: ManifestText): KubeObject[] {
  if (text.length > MAX_MANIFEST_CHARS)
    throw new Error(`the manifests are longer than ${MAX_MANIFEST_CHARS} characters`);
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter });
  const documents = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document, index) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(`manifest ${index + 1}: ${problem.message.split('\n')[0]}`);
    const objects = kubeObjectsOf(openDocument(document.toJS({ maxAliasCount: MAX_ALIASES }), ''), index + 1);
    if (file === undefined) return objects;
    const { line } = lineCounter.linePos(document.contents?.range?.[0] ?? 0);
    return objects.map((object) => ({ ...object, source: { file, line } }));
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
