/** /app/main.mjs of the rollup image: `run rollup --home DIR`, `healthcheck rollup [--live]`. */
if (process.argv[2] === 'healthcheck') {
  const { healthcheck } = await import('./healthcheck.ts');
  process.exit(await healthcheck('rollup'));
}
await import('../../appliance/entries/rollup.ts');
