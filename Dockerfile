# The same images as `scripts/images.ts build` makes without any registry, for sites that build with Docker, BuildKit, Buildah or
# Kaniko. One target per role; each target adds one prepared layer (bundle, mount points, licences, bill of materials) to the base:
#
#   node scripts/images.ts build --no-load        # writes dist/layers/ROLE.tar; with an engine it also loads the base
#   docker build --target store --build-arg BASE=nectar-byon-base:24.21.0-bookworm .
#
# BASE is any image with Node 24 at /nodejs/bin/node and glibc, best without a shell: ours, or a site's own "distroless" Node image,
# pinned by digest (BASE=registry.example/nodejs24-debian12@sha256:...). Nothing is run while building, and nothing is downloaded.
ARG BASE=nectar-byon-base:24.21.0-bookworm

FROM ${BASE} AS gateway
ARG VERSION=0.1.0
# ADD unpacks a local archive with its owners and modes: the mount points belong to their users.
ADD dist/layers/gateway.tar /
ENV PATH=/nodejs/bin NODE_ENV=production NECTAR_SOCKETS=/run/nectar
LABEL org.nectar-byon.role="gateway" org.nectar-byon.version="${VERSION}" \
      org.opencontainers.image.title="nectar-byon-gateway" org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="Nectar BYON, role gateway: the owner's HTTPS API" \
      org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.vendor="Nectar"
WORKDIR /
USER 64001:64001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/main.mjs", "healthcheck", "gateway"]
ENTRYPOINT ["/nodejs/bin/node", "/app/main.mjs", "run", "gateway", "--home", "/nectar"]
CMD []

FROM ${BASE} AS store
ARG VERSION=0.1.0
ADD dist/layers/store.tar /
ENV PATH=/nodejs/bin NODE_ENV=production NECTAR_SOCKETS=/run/nectar
LABEL org.nectar-byon.role="store" org.nectar-byon.version="${VERSION}" \
      org.opencontainers.image.title="nectar-byon-store" org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="Nectar BYON, role store: the encrypted blob store and the secret boundary" \
      org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.vendor="Nectar"
WORKDIR /
USER 64002:64002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/main.mjs", "healthcheck", "store"]
ENTRYPOINT ["/nodejs/bin/node", "/app/main.mjs", "run", "store", "--home", "/nectar"]
CMD []

FROM ${BASE} AS audit
ARG VERSION=0.1.0
ADD dist/layers/audit.tar /
ENV PATH=/nodejs/bin NODE_ENV=production NECTAR_SOCKETS=/run/nectar
LABEL org.nectar-byon.role="audit" org.nectar-byon.version="${VERSION}" \
      org.opencontainers.image.title="nectar-byon-audit" org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="Nectar BYON, role audit: the tamper-evident audit log" \
      org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.vendor="Nectar"
WORKDIR /
USER 64003:64003
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/main.mjs", "healthcheck", "audit"]
ENTRYPOINT ["/nodejs/bin/node", "/app/main.mjs", "run", "audit", "--home", "/nectar"]
CMD []

FROM ${BASE} AS rollup
ARG VERSION=0.1.0
ADD dist/layers/rollup.tar /
ENV PATH=/nodejs/bin NODE_ENV=production NECTAR_SOCKETS=/run/nectar
LABEL org.nectar-byon.role="rollup" org.nectar-byon.version="${VERSION}" \
      org.opencontainers.image.title="nectar-byon-rollup" org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="Nectar BYON, role rollup: the rollup full node and the p2p host" \
      org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.vendor="Nectar"
WORKDIR /
USER 64004:64004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/main.mjs", "healthcheck", "rollup"]
ENTRYPOINT ["/nodejs/bin/node", "/app/main.mjs", "run", "rollup", "--home", "/nectar"]
CMD []
