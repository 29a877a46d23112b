declare const IS_HTML: unique symbol;

/** A piece of markup that was made by `html` alone: whatever is no Html is text, and is escaped. */
export interface Html {
  readonly [IS_HTML]: true;
  readonly markup: string;
}

type Hole = string | number | Html | readonly Html[];

/** A template whose holes hold text, never markup: a name that a container was given can become no element and no attribute. */
export function html(parts: TemplateStringsArray, ...holes: readonly Hole[]): Html {
  return trust(parts.reduce((text, part, index) => text + render(holes[index - 1] ?? '') + part));
}

/** Markup of our own that no template can make: the style sheet. */
export function trust(markup: string): Html {
  return { markup } as Html;
}

export const NOTHING: Html = trust('');

function render(hole: Hole): string {
  if (typeof hole === 'string') return escapeHtml(hole);
  if (typeof hole === 'number') return String(hole);
  return 'markup' in hole ? hole.markup : hole.map(({ markup }) => markup).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For texts and quoted attributes alike. What turns the direction of writing, or shows nothing, is shown as U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\P{Cc}\n\t]|\p{Cf}|\p{Noncharacter_Code_Point}/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** A text in which `this` is a command or a name. */
export function prose(text: string): Html {
  const parts = text.split(/`([^`]+)`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}
