/**
 * Functions that run in a page. They are sent there as their source: nothing from outside them is known inside. Of the page's own
 * world only what they use is declared, so that the rest of the program does not take itself to be in a browser.
 */
interface PageElement {
  readonly id: string;
  readonly tagName: string;
  readonly className: string;
  readonly parentElement: PageElement | null;
  readonly lastElementChild: PageElement | null;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly children: ArrayLike<PageElement> & Iterable<PageElement>;
  textContent: string | null;
  open?: boolean;
  closest(selector: string): PageElement | null;
  checkVisibility(): boolean;
  append(child: PageElement): void;
  remove(): void;
  getBoundingClientRect(): Readonly<Record<'height' | 'width' | 'left', number>>;
}
declare const document: {
  readonly body: PageElement;
  readonly documentElement: PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(name: string): PageElement;
  createRange(): Pick<PageElement, 'getBoundingClientRect'> & { selectNodeContents(of: PageElement): void };
  createTreeWalker(
    root: PageElement,
    show: number,
  ): {
    nextNode(): unknown;
    readonly currentNode: { readonly parentElement: PageElement | null; readonly textContent: string | null };
  };
};
declare const NodeFilter: { readonly SHOW_TEXT: number };
declare function getComputedStyle(element: PageElement): Readonly<Record<'color' | 'fill' | 'backgroundColor', string>>;

/** How wide the page is, everything in it opened, and how wide it may be. */
export function openedWidth(): { needed: number; given: number } {
  for (const one of document.querySelectorAll('details')) one.open = true;
  const { scrollWidth, clientWidth } = document.documentElement;
  return { needed: scrollWidth, given: clientWidth };
}

export function paperColour(): string {
  return getComputedStyle(document.documentElement).backgroundColor;
}

/** Every text in the page whose contrast with what is behind it is too low. */
export function poorContrast(least: number): { seen: number; poor: string[] } {
  type Colour = readonly [number, number, number, number];
  const parse = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue, alpha];
  };
  const luminance = ([red, green, blue]: Colour): number => {
    const linear = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
  };
  const behind = (element: PageElement | null): Colour => {
    for (let at: PageElement | null = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const poor: string[] = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent?.trim() ?? '';
    if (element === null || text === '' || element.tagName === 'title') continue;
    const style = getComputedStyle(element);
    const drawn = element.closest('svg') === null ? style.color : style.fill;
    const [a, b] = [luminance(parse(drawn)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (contrast < least) poor.push(`${contrast.toFixed(2)} ${element.className} ${text.slice(0, 40)}`);
  }
  return { seen, poor };
}

/** Numbers of a list whose marker is wider than the place before its text: paper cuts them off at its edge. */
export function clippedNumbers(selector: string): { seen: number; clipped: string[] } {
  const clipped: string[] = [];
  let seen = 0;
  for (const list of document.querySelectorAll(selector)) {
    for (const [index, item] of [...list.children].entries()) {
      const text = item.children[0];
      if (text === undefined) continue;
      seen += 1;
      const range = document.createRange();
      const probe = document.createElement('span');
      probe.textContent = `${index + 1}.`;
      text.append(probe);
      range.selectNodeContents(probe);
      const needed = range.getBoundingClientRect().width;
      probe.remove();
      const room = text.getBoundingClientRect().left - document.body.getBoundingClientRect().left;
      if (room < needed) clipped.push(`${index + 1}.: ${room} of ${needed}`);
    }
  }
  return { seen, clipped };
}

/** What is inside a `details` and takes no place on the page. */
export function closedOnPaper(): string[] {
  return [...document.querySelectorAll('details')]
    .map((one) => one.lastElementChild)
    .filter((inner) => inner === null || !inner.checkVisibility() || inner.getBoundingClientRect().height === 0)
    .map((inner) => inner?.id ?? 'none');
}
