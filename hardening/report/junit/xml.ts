/**
 * As much of XML 1.0 as a JUnit report needs: elements, attributes, text. Own code rather than a dependency, since the one hard part
 * is what the packages leave to their callers: characters that XML 1.0 cannot hold at all, not even escaped.
 */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly (Element | string)[];
}

export function element(name: string, attributes: Element['attributes'], children: Element['children'] = []): Element {
  return { name, attributes, children };
}

export function renderXml(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, '')}\n`;
}

function render({ name, attributes, children }: Element, indent: string): string {
  const head = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeXml(String(value))}"`)];
  if (children.length === 0) return `${indent}<${head.join(' ')}/>`;
  // White space is part of a text, so that only elements among elements are indented.
  if (children.some((child) => typeof child === 'string')) {
    const inner = children.map((child) => (typeof child === 'string' ? escapeXml(child) : render(child, ''))).join('');
    return `${indent}<${head.join(' ')}>${inner}</${name}>`;
  }
  const inner = children.map((child) => (typeof child === 'string' ? child : render(child, `${indent}  `))).join('\n');
  return `${indent}<${head.join(' ')}>\n${inner}\n${indent}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  // Not only for `]]>`, which may not stand in a text: nothing that ends a tag is left.
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For texts and attributes alike; what XML 1.0 excludes (section 2.2, Char) becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"\t\n\r]/g, (character) => ENTITIES[character] ?? character);
}
