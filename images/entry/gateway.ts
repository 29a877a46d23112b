/** /app/main.mjs of the gateway image: `run gateway --home DIR`, `healthcheck gateway [--live]`. */
if (process.argv[2] === 'healthcheck') {
  const { healthcheck } = await import('./healthcheck.ts');
  process.exit(await healthcheck('gateway'));
}
await import('../../appliance/entries/gateway.ts');
