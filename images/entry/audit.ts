/** /app/main.mjs of the audit image: `run audit --home DIR`, `healthcheck audit [--live]`, `verify audit`. */
if (process.argv[2] === 'healthcheck') {
  const { healthcheck } = await import('./healthcheck.ts');
  process.exit(await healthcheck('audit'));
}
if (process.argv[2] === 'verify') {
  const { verifyLog } = await import('./verify-log.ts');
  process.exitCode = await verifyLog();
} else {
  await import('../../appliance/entries/audit.ts');
}
