export type { Shelf, ShelfText } from './interfaces.ts';
export { createShelf, MAX_TEXT_BYTES } from './shelf.ts';
