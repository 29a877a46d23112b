import type { FactId } from './facts/index.ts';
import type { Expectation } from './operator.ts';
import type { Reference, Standard } from './standard.ts';

export const TARGETS = ['host', 'image', 'container', 'kubernetes', 'config', 'runtime', 'data'] as const;
export type Target = (typeof TARGETS)[number];

/** From the worst. What each weighs in the score: report/score.ts. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How to do a thing on each platform; `any` where it is the same everywhere. */
export type PerPlatform = Readonly<Partial<Record<'any' | 'process' | 'docker' | 'kubernetes', string>>>;

/** Restricts a check to subjects for which all hold: facts of the same kind of subject, or of the node. */
export interface Condition {
  readonly fact: FactId;
  readonly expect: Expectation;
}

interface CheckBase {
  /** BYON-AREA-NNN. Never reused: hardening/ledger.yaml has those that are gone. */
  readonly id: string;
  /** What holds where it passes. */
  readonly title: string;
  readonly target: Target;
  readonly severity: Severity;
  readonly rationale: string;
  /** A command or a line of configuration. */
  readonly remediation: PerPlatform;
  /** How to see it for oneself, without this program. */
  readonly see: PerPlatform;
  readonly refs: readonly Reference[];
}

export interface AutomatedCheck extends CheckBase {
  readonly mode: 'automated';
  /** What is so where it fails, as it stands after `because`. */
  readonly failure: string;
  readonly probe: { readonly fact: FactId };
  readonly expect: Expectation;
  readonly where: readonly Condition[];
}

/** A person must look: it carries no probe, and its verdict is never a pass by itself. */
export interface ManualCheck extends CheckBase {
  readonly mode: 'manual';
  readonly failure?: undefined;
}

export type Check = AutomatedCheck | ManualCheck;

/** A set of checks for one purpose, with the severity from which a failure makes the exit code 3. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly threshold: Severity;
  readonly checks: readonly string[];
}

/** Everything that is judged by: read once, checked as a whole. */
export interface Benchmark {
  readonly checks: readonly Check[];
  readonly profiles: readonly Profile[];
  readonly standards: readonly Standard[];
  /** SHA-256 of all files of it, hex: says by which checks a report was judged. */
  readonly digest: string;
}
