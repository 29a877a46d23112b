export type { AuditAnchor } from './audit-needs.ts';
export { createBootstrapToken } from './bootstrap-token.ts';
export { createGatewayRenewal, issueByCa } from './certificate-renewal.ts';
export { GatewayConfig } from './config.ts';
export type { AccessContext, GatewayDependencies } from './dependencies.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { createMetricsServer, type MetricsServer } from './metrics-server.ts';
export type { NetworkInfo, NodeReadiness, NodeStatus } from './node-schemas.ts';
export { recordedTokens } from './recorded-tokens.ts';
export { shareLogLevels } from './shared-log-levels.ts';
export { createSharedTexts } from './shared-texts.ts';
export {
  type Certificates,
  certificateNames,
  createCertificates,
  isRenewalDue,
  renewServerCertificate,
  type ServerCertificate,
} from './tls.ts';
export { createTokenSigner, createTokens, type TokenSigner, type Tokens } from './tokens.ts';
