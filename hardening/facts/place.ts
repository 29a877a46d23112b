import { type FactDefinition, integer, set, text, yes } from './definition.ts';

export const VOLUME_FACTS = {
  'volume.name': text('Name without the prefix of the node.'),
  'volume.driver': text('Driver.'),
  'volume.inMemory': yes('Whether it is a tmpfs.'),
  'volume.options': set('Mount options.'),
  'volume.mountedIn': set('Roles whose containers mount it.'),
  'volume.writableIn': set('Roles that may write it.'),
  'volume.foreignContainers': set('Containers that are not of this node and mount it.'),
  'volume.canaries': integer('Planted canaries found in its bytes: plaintext where only ciphertext belongs.'),
  'volume.scannedBytes': integer('Bytes scanned for canaries.'),
  'volume.plaintextMarkers': set('Markers of unsealed clinical data found in it: FHIR, DICM, HL7.'),
  'volume.labelled': yes('Whether it carries the labels of the node.'),
} as const satisfies Record<`volume.${string}`, FactDefinition>;

export const NETWORK_FACTS = {
  'network.name': text('Name without the prefix of the node.'),
  'network.driver': text('Driver.'),
  'network.betweenContainers': yes('Whether containers on it may reach each other.'),
  'network.containers': set('Roles of the containers of this node on it.'),
  'network.foreignContainers': set('Containers on it that are not of this node.'),
  'network.labelled': yes('Whether it carries the labels of the node.'),
} as const satisfies Record<`network.${string}`, FactDefinition>;

export const FILE_FACTS = {
  'file.purpose': text(
    'home, config, network, identity, key-store, root-key, tls-key, tls-certificate, client-token, tokens, audit, store, store-index, rollup, volume (root of one), target, log, report, report-key, backup, other.',
  ),
  'file.path': text('Path below the home, or in the volume.'),
  'file.mode': integer('Permission bits, without those of a group that the node alone has.'),
  'file.ownerIsNode': yes(
    'Whether its owner is the user that the node (or its role) runs as, or the user who runs the program.',
  ),
  'file.ownerUid': integer('User id of its owner.'),
  'file.symlink': yes('Whether it is a symbolic link.'),
  'file.insideHome': yes('Whether it lies inside the folder of the node (a key beside what it opens).'),
  'file.onSameDevice': yes("Whether it lies on the same file system as the node's data."),
  'file.foldersSafe': yes('Whether no folder above it may be changed by others than its owner and root.'),
  'file.sealed': yes('Whether its content is sealed (ciphertext with an authentication tag).'),
  'file.private': yes('Whether it must be readable by its owner alone.'),
} as const satisfies Record<`file.${string}`, FactDefinition>;

export const LISTENER_FACTS = {
  'listener.name': text('gateway, metrics, p2p, rpc.'),
  'listener.address': text('Address that it listens on, as seen from the host.'),
  'listener.loopback': yes('Whether only this machine reaches it.'),
  'listener.allInterfaces': yes('Whether it listens on all interfaces of the host.'),
  'listener.asConfigured': yes('Whether address and port are those that the configuration names.'),
  'listener.reachable': yes('Whether a TCP connection was accepted.'),
  'listener.tls': yes('Whether it speaks TLS.'),
  'listener.tlsVersions': set('TLS versions that it accepts: 1.0, 1.1, 1.2, 1.3.'),
  'listener.ciphers': set('Cipher suite negotiated for each version, by its IANA or OpenSSL name.'),
  'listener.weakCiphers': set(
    'Weak cipher suites that it accepts: without forward secrecy, without AEAD, or below 128 bits.',
  ),
  'listener.keyExchange': set('Ephemeral key exchange negotiated: X25519, P-256, X25519MLKEM768, ...'),
  'listener.certificateDaysLeft': integer('Days until its certificate expires; negative when it has.'),
  'listener.certificateDays': integer('Days of validity of its certificate from beginning to end.'),
  'listener.certificateKey': text('Key of its certificate: EC P-256, RSA 2048, Ed25519, ...'),
  'listener.certificateSignature': text('Digest that signs it: sha256, sha384, ed25519, sha1, ...'),
  'listener.certificateTrusted': yes("Whether its chain ends at the node's own authority."),
  'listener.certificateNamesMatch': yes('Whether it is valid for the address or name under which clients reach it.'),
  'listener.constrainedAuthority': yes(
    'Whether the authority above it may sign for private names and addresses only (name constraints).',
  ),
  'listener.plainHttp': yes('Whether it answers plain HTTP.'),
  'listener.noise': yes('Whether it speaks libp2p noise (multistream-select offers /noise).'),
  'listener.plaintextOffered': yes('Whether it offers an unencrypted libp2p connection (/plaintext).'),
  'listener.anonymousStatus': integer(
    'HTTP status of a request without a token: for records, of the metrics listener for metrics.',
  ),
  'listener.wrongTokenStatus': integer('HTTP status of the same with a token that nobody issued.'),
  'listener.wrongCertificateStatus': integer(
    'Status of a request with a client certificate that nobody added; 0 when the connection was cut.',
  ),
  'listener.securityHeaders': set(
    'Security headers that it sends: strict-transport-security, x-content-type-options, cache-control, content-security-policy, ...',
  ),
  'listener.serverHeader': text('What it says of its own software: Server and X-Powered-By; empty for nothing.'),
  'listener.compressed': yes('Whether it compresses answers that carry secrets (BREACH).'),
  'listener.renegotiation': yes('Whether it lets a client renegotiate.'),
  'listener.oversizedHeaderStatus': integer(
    'HTTP status of a request with headers beyond its bound; 0 when the connection is cut.',
  ),
  'listener.traceStatus': integer('HTTP status of a TRACE request; 0 when the connection is cut.'),
  'listener.crossOrigin': yes('Whether it lets any web page read its answers (Access-Control-Allow-Origin).'),
} as const satisfies Record<`listener.${string}`, FactDefinition>;
