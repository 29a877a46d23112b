/** /app/main.mjs of the audit image: `run audit --home DIR`, `healthcheck audit [--live]`. */
if (process.argv[2] === 'healthcheck') {
  const { healthcheck } = await import('./healthcheck.ts');
  process.exit(await healthcheck('audit'));
}
await import('../../appliance/entries/audit.ts');
