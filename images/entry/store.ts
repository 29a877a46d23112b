/** /app/main.mjs of the store image: `run store --home DIR`, `healthcheck store [--live]`. */
if (process.argv[2] === 'healthcheck') {
  const { healthcheck } = await import('./healthcheck.ts');
  process.exit(await healthcheck('store'));
}
await import('../../appliance/entries/store.ts');
