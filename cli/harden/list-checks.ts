import type { Benchmark } from '../../hardening/check.ts';
import { checksOf, getProfile } from '../../hardening/load-benchmark.ts';
import type { Call } from '../call.ts';
import { renderTable } from '../render/table.ts';
import type { HardenOptions } from './options.ts';

/** `harden --list`: the checks of a profile, or of all, and the profiles there are. */
export function listChecks({ options, output }: Call<HardenOptions>, benchmark: Benchmark): void {
  const checks =
    options.profile === undefined ? benchmark.checks : checksOf(benchmark, getProfile(benchmark, options.profile));
  const profiles = benchmark.profiles.map(({ name, title, threshold, checks: ids }) => ({
    ...{ name, title, threshold, checks: ids.length },
  }));
  const listed = checks.map(({ id, title, target, severity, mode, refs }) => ({
    ...{ id, title, target, severity, mode },
    refs: refs.map(({ standard, version, clause }) => `${standard} ${version} ${clause}`),
  }));
  output.result({ digest: benchmark.digest, profiles, checks: listed }, () =>
    [
      renderTable(
        [{ title: 'CHECK' }, { title: 'SEVERITY' }, { title: 'TARGET' }, { title: 'MODE' }, { title: 'TITLE' }],
        listed.map(({ id, severity, target, mode, title }) => [id, severity, target, mode, title]),
      ),
      '',
      renderTable(
        [{ title: 'PROFILE' }, { title: 'CHECKS', alignRight: true }, { title: 'FAILS FROM' }, { title: 'FOR' }],
        profiles.map(({ name, checks: count, threshold, title }) => [name, String(count), threshold, title]),
      ),
    ].join('\n'),
  );
}
