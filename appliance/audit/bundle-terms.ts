import { type AuditFacts, auditFacts } from '../../protocol/merkle/audit-facts.ts';
import type { AuditFilter } from '../../protocol/merkle/audit-filter.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import type { AuditInput } from './audit-input.ts';
import { bundleOf } from './bundle-file.ts';

/** Of each bundle, in bits: some 600 terms then make one needless reading in a few hundred. */
const BITS = 8192;
export const TERM_BYTES = BITS / 8;
const PROBES = 4;
/** A record may be asked for by its first digits. */
const SHORTEST_RECORD = 6;
/** 64 MiB: bundles of 16 million leaves. What is beyond is read each time. */
const MAX_BUNDLES = 64 * 1024;

/** Whether something that may be in a bundle is; true may be wrong, false never is. */
export type MayHold = (bundle: BundleTerms) => boolean;

/** Of what an entry says, what it can be searched for by. */
export type TermFacts = Pick<AuditFacts, 'subject' | 'tokenId' | 'name' | 'record' | 'patients'>;

export interface BundleTerms {
  has(term: string): boolean;
}

/**
 * What the full bundles of the log speak of, so that a search reads those only in which it can find something. It is made of
 * entries that were shown to be the tree's, or that this process appended, and decides nothing but where not to look: what is found is
 * read from the log and checked as ever.
 */
export interface TermIndex {
  /** Undefined for a bundle that nobody has told of. */
  find(bundle: number): BundleTerms | undefined;
  /** Takes the facts of all of a bundle's entries, in any order; `turn` is that of before they were read. False when it is not kept. */
  keep(bundle: number, facts: Iterable<TermFacts>, turn: number): boolean;
  /** Takes the facts of one appended leaf; returns its bundle when that is full and known from its first leaf on. */
  take(index: number, facts: TermFacts): number | undefined;
  /** Takes what `between` once gave. */
  restore(bundle: number, bits: Uint8Array, turn: number): void;
  /** The bits of the bundles `[from, to)` that are known. */
  between(from: number, to: number): Map<number, Uint8Array>;
  /** Bodies are being erased: what was read before is not kept any more, and nothing new is. */
  hold(): void;
  /** Forgets the bundles below `below`, of which bodies were erased, and goes on. */
  release(below: number): void;
  turn(): number;
}

export function createTermIndex(): TermIndex {
  const bundles = new Map<number, Uint8Array>();
  /** Bundles that are filling up. */
  const filling = new Map<number, { readonly bits: Uint8Array; leaves: number }>();
  let turn = 0;
  let held = false;

  function keepBits(bundle: number, bits: Uint8Array, from: number): boolean {
    if (held || from !== turn || bundles.size >= MAX_BUNDLES) return false;
    bundles.set(bundle, bits);
    return true;
  }

  return {
    find(bundle) {
      const bits = bundles.get(bundle);
      return bits === undefined ? undefined : { has: (term) => hasTerm(bits, term) };
    },
    keep(bundle, facts, from) {
      const bits = new Uint8Array(TERM_BYTES);
      for (const each of facts) addTerms(bits, each);
      return keepBits(bundle, bits, from);
    },
    take(index, facts) {
      const bundle = bundleOf(index);
      const filled = filling.get(bundle) ?? { bits: new Uint8Array(TERM_BYTES), leaves: 0 };
      addTerms(filled.bits, facts);
      filled.leaves += 1;
      filling.set(bundle, filled);
      if (filled.leaves < TILE_WIDTH) return undefined;
      // One that was begun by another process never fills up here.
      for (const old of filling.keys()) if (old <= bundle) filling.delete(old);
      return keepBits(bundle, filled.bits, turn) ? bundle : undefined;
    },
    restore(bundle, bits, from) {
      if (!bundles.has(bundle)) keepBits(bundle, bits, from);
    },
    between: (from, to) => new Map([...bundles].filter(([bundle]) => bundle >= from && bundle < to)),
    hold() {
      turn += 1;
      held = true;
    },
    release(below) {
      for (const bundle of bundles.keys()) if (bundle < below) bundles.delete(bundle);
      held = false;
    },
    turn: () => turn,
  };
}

/** What a bundle must hold for a filter to find anything in it. `records`: those of the patient by their labels of today. */
export function mayHoldOf({ record, patient, actor }: AuditFilter, records?: ReadonlySet<string>): MayHold {
  return (bundle) => {
    if (record !== undefined && !bundle.has(recordTerm(record))) return false;
    if (actor !== undefined && !bundle.has(`actor ${actor.toLowerCase()}`)) return false;
    if (patient === undefined || bundle.has(`patient ${patient}`)) return true;
    return records !== undefined && [...records].some((id) => bundle.has(recordTerm(id)));
  };
}

/** The facts of bodies, for the index. */
export function factsOf(bodies: Iterable<unknown>): Iterable<AuditFacts> {
  return Array.from(bodies, auditFacts);
}

/** The same of an event that is appended, without reading its body again. */
export function termFactsOf({ context: { actor }, recordId, patients = [] }: AuditInput): TermFacts {
  const { subject, tokenId, name } = actor;
  return {
    // As the body has them: what a client sent need not be well-formed.
    subject: subject.toWellFormed(),
    ...(tokenId === undefined ? {} : { tokenId: tokenId.toWellFormed() }),
    ...(name === undefined ? {} : { name: name.toWellFormed() }),
    ...(recordId === undefined ? {} : { record: recordId.toWellFormed() }),
    patients: patients.map((patient) => patient.toWellFormed()),
  };
}

/** A whole id, or the digits that every shorter beginning of it has. */
function recordTerm(record: string): string {
  return `record ${record.length === 32 ? record : record.slice(0, SHORTEST_RECORD)}`;
}

function addTerms(bits: Uint8Array, { subject, tokenId, name, record, patients }: TermFacts): void {
  if (subject !== undefined) addTerm(bits, `actor ${subject.toLowerCase()}`);
  if (tokenId !== undefined) addTerm(bits, `actor ${tokenId.toLowerCase()}`);
  if (name !== undefined) addTerm(bits, `actor ${name.toLowerCase()}`);
  for (const patient of patients) addTerm(bits, `patient ${patient}`);
  if (record === undefined) return;
  addTerm(bits, recordTerm(record));
  addTerm(bits, recordTerm(record.slice(0, SHORTEST_RECORD)));
}

function addTerm(bits: Uint8Array, term: string): void {
  const [one, other] = hashesOf(term);
  for (let i = 0; i < PROBES; i++) {
    const at = probe(one, other, i);
    bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }
}

function hasTerm(bits: Uint8Array, term: string): boolean {
  const [one, other] = hashesOf(term);
  for (let i = 0; i < PROBES; i++) {
    const at = probe(one, other, i);
    if (((bits[at >> 3] ?? 0) & (1 << (at & 7))) === 0) return false;
  }
  return true;
}

/** Two FNV-1a hashes of other beginnings, to be combined: nobody gains by making terms collide but a slower search. */
function hashesOf(term: string): readonly [number, number] {
  return [fnv(term, 0x811c9dc5), fnv(term, 0x01000193) | 1];
}

function probe(one: number, other: number, i: number): number {
  return ((one + Math.imul(i, other)) >>> 0) % BITS;
}

function fnv(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV alone are close for close texts.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
