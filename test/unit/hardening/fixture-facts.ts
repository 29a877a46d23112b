import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FACTS_FORMAT, type FactSet, type Observation, type Subject } from '../../../hardening/fact-set.ts';
import type { FactValue } from '../../../hardening/fact-type.ts';
import { type FactId, factKind } from '../../../hardening/facts/index.ts';
import type { SubjectKind } from '../../../hardening/subject.ts';

export type Values = Readonly<Partial<Record<FactId, FactValue>>>;

/** Facts with which a check passes and with which it fails. */
export interface Fixture {
  readonly check: string;
  /** What both have besides: the check's conditions. */
  readonly given?: Values;
  readonly pass: Values;
  readonly fail: Values;
  /** A subject that the check does not speak of: one that its conditions leave out. */
  readonly elsewhere?: Values;
}

const FOLDER = join(import.meta.dirname, 'fixtures');

export function readFixtures(): Fixture[] {
  return readdirSync(FOLDER).flatMap((file) => parse(readFileSync(join(FOLDER, file), 'utf8')) as Fixture[]);
}

/** One subject of a kind, with the facts of it; those of the node stay out. */
export function subjectOf(
  kind: SubjectKind,
  name: string,
  facts: Readonly<Partial<Record<FactId, Observation>>>,
): Subject {
  return { kind, name, facts };
}

export function values(facts: Values): Partial<Record<FactId, Observation>> {
  return Object.fromEntries(Object.entries(facts).map(([id, value]) => [id, { value }]));
}

/** Subjects of one kind with the values given, and the node with the facts that are of it. */
export function factsOf(kind: SubjectKind, each: readonly Values[]): FactSet {
  const own = (facts: Values, wanted: SubjectKind): Values =>
    Object.fromEntries(Object.entries(facts).filter(([id]) => factKind(id as FactId) === wanted));
  const node = subjectOf('node', 'node', values(own(Object.assign({}, ...each) as Values, 'node')));
  const others =
    kind === 'node' ? [] : each.map((facts, index) => subjectOf(kind, `${kind} ${index}`, values(own(facts, kind))));
  return factSet([node, ...others]);
}

/** Facts as one collector would have seen them that lists every kind among the subjects. */
export function factSet(subjects: readonly Subject[], rest: Partial<FactSet> = {}): FactSet {
  const kinds = [...new Set(subjects.map(({ kind }) => kind))];
  return {
    format: FACTS_FORMAT,
    collectedAt: '2026-11-23T09:00:00.000Z',
    tool: { name: 'nectar-byon', version: '0.1.0' },
    node: { id: '1f2e3d4c', target: 'docker', network: 'devnet' },
    collections: [{ collector: 'fixture', kinds, adds: [], privilege: 'none', outcome: 'collected' }],
    subjects,
    ...rest,
  };
}
