/**
 * Loaded with --import before the program: a node that is the product but for one file. `NECTAR_TEST_PATCH` says how:
 * `liar` derives a false chain and lies about a step of it; `trace`, `stored` and `sent` stop a validator for ever at that point,
 * so that it can be killed there, and write NECTAR_TEST_MARK first.
 */
import { registerHooks } from 'node:module';

const PATCHES: Readonly<Record<string, readonly string[]>> = {
  liar: ['challenge/truth', 'validator/derived-state'],
  trace: ['challenge/truth'],
  stored: ['challenge/heard-moves'],
  sent: ['batcher/l1-sender'],
};
const patched = PATCHES[process.env.NECTAR_TEST_PATCH ?? ''] ?? [];

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const file = patched.find((name) => found.url.endsWith(`/appliance/rollup/${name}.ts`));
    if (file === undefined || context.parentURL?.includes('/test/e2e/dispute/')) return found;
    return { ...found, url: new URL(`./patched-${file.split('/')[1]}.ts`, import.meta.url).href };
  },
});
