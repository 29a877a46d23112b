export type { Shelf, ShelfText } from './interfaces.ts';
export { createShelf, MAX_TEXT_BYTES, MAX_TEXTS } from './shelf.ts';
