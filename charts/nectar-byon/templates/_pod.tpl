{{/*
The pod of a role. Takes {root, role}; what differs by role is in nectar.mounts and nectar.volumes.
A mode of 288 is 0440: YAML 1.1 and 1.2 read the octal form as different numbers.
*/}}
{{- define "nectar.pod" -}}
{{- $values := index .root.Values .role -}}
metadata:
  labels:
    {{- include "nectar.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    org.nectar-byon/config: {{ include "nectar.configDigest" . }}
    kubectl.kubernetes.io/default-container: {{ .role }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  serviceAccountName: {{ include "nectar.fullname" .root }}
  {{- /* The addresses of Services, in place of a name server that store and audit may not reach. audit calls nobody. */}}
  enableServiceLinks: {{ and (ne .role "audit") (eq .root.Values.crossings.addressing "links") }}
  {{- /* Names are asked for by the rollup role alone; to the others no policy opens a name server. */}}
  dnsPolicy: {{ ternary "ClusterFirst" "Default" (or (eq .role "rollup") (eq .root.Values.crossings.addressing "dns")) }}
  hostNetwork: false
  hostPID: false
  hostIPC: false
  shareProcessNamespace: false
  terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
  {{- with .root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .root.Values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- include "nectar.podSecurity" . | nindent 4 }}
  containers:
    - name: {{ .role }}
      image: {{ include "nectar.image" . }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: []
      env:
        {{- include "nectar.environment" . | nindent 8 }}
      {{- include "nectar.ports" . | nindent 6 }}
      {{- include "nectar.probes" . | nindent 6 }}
      {{- if and (eq .role "gateway") (semverCompare ">=1.30.0-0" .root.Capabilities.KubeVersion.Version) }}
      lifecycle:
        preStop:
          # Until no Service sends it new connections.
          sleep:
            seconds: 10
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- include "nectar.containerSecurity" . | nindent 8 }}
      terminationMessagePolicy: FallbackToLogsOnError
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: health, mountPath: /run/nectar/health }
        - { name: config, mountPath: /nectar/config, readOnly: true }
        - { name: crossing, mountPath: /run/nectar/tls, readOnly: true }
        {{- include "nectar.mounts" . | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir: { medium: Memory, sizeLimit: {{ .root.Values.tmpSize }} }
    - name: health
      emptyDir: { medium: Memory, sizeLimit: 1Mi }
    - name: config
      projected:
        sources:
          {{- if and (eq .role "rollup") .root.Values.rollup.existingConfigSecret }}
          - secret: { name: {{ .root.Values.rollup.existingConfigSecret }}, items: [{ key: config.json, path: config.json }] }
          {{- else }}
          - configMap: { name: {{ include "nectar.fullname" .root }}-config, items: [{ key: config.json, path: config.json }] }
          {{- end }}
          {{- if .root.Values.network.existingConfigMap }}
          - configMap: { name: {{ .root.Values.network.existingConfigMap }}, items: [{ key: network.json, path: network.json }] }
          {{- else }}
          - configMap: { name: {{ include "nectar.fullname" .root }}-config, items: [{ key: network.json, path: network.json }] }
          {{- end }}
          {{- if .root.Values.identity.public }}
          - configMap: { name: {{ include "nectar.fullname" .root }}-config, items: [{ key: public.json, path: public.json }] }
          {{- end }}
    - name: crossing
      secret: { secretName: {{ include "nectar.crossingSecret" . }}, defaultMode: 288 }
    {{- include "nectar.volumes" . | nindent 4 }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .role "gateway" }}
  topologySpreadConstraints:
    {{- if .root.Values.gateway.topologySpreadConstraints }}
    {{- toYaml .root.Values.gateway.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "nectar.selector" . | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* Users of the images (docs/design/0002), left out where OpenShift assigns them. */}}
{{- define "nectar.podSecurity" -}}
runAsNonRoot: true
{{- if not (include "nectar.isOpenShift" .root) }}
{{- $user := get (dict "gateway" 64001 "store" 64002 "audit" 64003 "rollup" 64004) .role }}
runAsUser: {{ $user }}
runAsGroup: {{ $user }}
fsGroup: {{ $user }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  {{- include "nectar.seccomp" . | nindent 2 }}
{{- end -}}

{{- define "nectar.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  {{- include "nectar.seccomp" . | nindent 2 }}
{{- end -}}

{{- define "nectar.seccomp" -}}
{{- with .root.Values.seccompProfileFolder -}}
type: Localhost
localhostProfile: {{ . }}/nectar-{{ $.role }}.json
{{- else -}}
type: RuntimeDefault
{{- end -}}
{{- end -}}

{{/*
Ports of the configuration are named too: a Service of the namespace called nectar-gateway or nectar-gateway-metrics would
otherwise set them by its links.
*/}}
{{- define "nectar.environment" -}}
- { name: NECTAR_CROSSINGS, value: tls }
- { name: NECTAR_CROSSING_INSTANCE, value: {{ include "nectar.instance" .root | quote }} }
- { name: NECTAR_CROSSING_TLS, value: /run/nectar/tls }
- { name: NECTAR_SOCKETS, value: /run/nectar }
{{- $root := .root }}
{{- $calls := get (dict "gateway" (list "store" "audit" "rollup") "store" (list "audit") "rollup" (list "store" "audit") "audit" list) .role }}
{{- range $calls }}
- { name: {{ printf "NECTAR_CROSSING_%s" (upper .) }}, value: {{ include "nectar.address" (dict "root" $root "role" .) | quote }} }
{{- end }}
- { name: NECTAR_GATEWAY_PORT, value: "8443" }
- { name: NECTAR_GATEWAY_METRICS_PORT, value: {{ ternary "9464" "0" .root.Values.monitoring.metrics | quote }} }
- { name: NECTAR_P2P_LISTEN_PORT, value: "4640" }
{{- if eq .role "rollup" }}
{{- with .root.Values.rollup.proxy }}
{{- with .httpsProxy }}
- { name: HTTPS_PROXY, value: {{ . | quote }} }
{{- end }}
{{- with .httpProxy }}
- { name: HTTP_PROXY, value: {{ . | quote }} }
{{- end }}
{{- with .noProxy }}
- { name: NO_PROXY, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end }}
{{- if eq .role "store" }}
- { name: NECTAR_FIRST_START, value: {{ .root.Values.identity.firstStart }} }
{{- with .root.Values.identity.startEmpty }}
- { name: NECTAR_START_EMPTY, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{- define "nectar.address" -}}
{{- $service := printf "%s-%s" (include "nectar.fullname" .root) .role -}}
{{- if eq .root.Values.crossings.addressing "dns" -}}
{{- printf "%s.%s.svc:%s" $service .root.Release.Namespace (include "nectar.port" .role) -}}
{{- else -}}
{{- printf "$(%s_SERVICE_HOST):%s" ($service | upper | replace "-" "_" | replace "." "_") (include "nectar.port" .role) -}}
{{- end -}}
{{- end -}}

{{- define "nectar.ports" -}}
ports:
{{- if eq .role "gateway" }}
  - { name: https, containerPort: 8443, protocol: TCP }
  {{- if .root.Values.monitoring.metrics }}
  - { name: metrics, containerPort: 9464, protocol: TCP }
  {{- end }}
{{- else }}
  - { name: crossing, containerPort: {{ include "nectar.port" .role }}, protocol: TCP }
  {{- if eq .role "rollup" }}
  - { name: p2p, containerPort: 4640, protocol: TCP }
  {{- end }}
{{- end }}
{{- end -}}

{{/* Ready is usable, with the reason; alive asks the role alone, never another one. */}}
{{- define "nectar.probes" -}}
{{- $check := list "/nodejs/bin/node" "/app/main.mjs" "healthcheck" .role "--home" "/nectar" -}}
startupProbe:
  exec: { command: {{ append $check "--live" | toJson }} }
  periodSeconds: 2
  timeoutSeconds: 10
  failureThreshold: 150
readinessProbe:
  exec: { command: {{ $check | toJson }} }
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 3
livenessProbe:
  exec: { command: {{ append $check "--live" | toJson }} }
  periodSeconds: 30
  timeoutSeconds: 15
  failureThreshold: 4
{{- end -}}

{{- define "nectar.mounts" -}}
{{- if eq .role "gateway" }}
- { name: gateway, mountPath: /nectar/gateway }
- { name: gateway-tls, mountPath: /nectar/gateway/tls, readOnly: true }
{{- if .root.Values.identity.existingBootstrapTokenSecret }}
- { name: bootstrap, mountPath: /run/secrets/nectar-bootstrap, readOnly: true }
{{- end }}
{{- else if eq .role "store" }}
- { name: data, mountPath: /nectar/keys, subPath: keys }
- { name: data, mountPath: /nectar/store, subPath: store }
{{- if include "nectar.hasRootKey" .root }}
- { name: root-key, mountPath: /run/secrets/nectar, readOnly: true }
{{- end }}
{{- if .root.Values.identity.existingSecret }}
- { name: adopt, mountPath: /nectar/adopt, readOnly: true }
{{- end }}
{{- else }}
- { name: data, mountPath: /nectar/{{ .role }}, subPath: {{ .role }} }
{{- if and (eq .role "rollup") .root.Values.rollup.existingCaConfigMap }}
- { name: authorities, mountPath: /run/nectar/authorities, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{- define "nectar.volumes" -}}
{{- if eq .role "gateway" }}
- name: gateway
  emptyDir: { medium: Memory, sizeLimit: 16Mi }
- name: gateway-tls
  secret:
    secretName: {{ include "nectar.gatewaySecret" .root }}
    defaultMode: 288
    items:
      - { key: tls.crt, path: server.crt }
      - { key: tls.key, path: server.key }
{{- with .root.Values.identity.existingBootstrapTokenSecret }}
- name: bootstrap
  secret: { secretName: {{ . }}, defaultMode: 288, items: [{ key: token, path: token }] }
{{- end }}
{{- else if eq .role "store" }}
{{- $rootKey := .root.Values.rootKey }}
{{- if $rootKey.existingSecret }}
- name: root-key
  secret:
    secretName: {{ $rootKey.existingSecret }}
    defaultMode: 288
    items: [{ key: {{ $rootKey.secretKey }}, path: root-key }]
{{- else if $rootKey.csi.driver }}
- name: root-key
  csi:
    driver: {{ $rootKey.csi.driver }}
    readOnly: true
    {{- with $rootKey.csi.attributes }}
    volumeAttributes:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- with .root.Values.identity.existingSecret }}
- name: adopt
  secret: { secretName: {{ . }}, defaultMode: 288 }
{{- end }}
{{- else if and (eq .role "rollup") .root.Values.rollup.existingCaConfigMap }}
- name: authorities
  configMap: { name: {{ .root.Values.rollup.existingCaConfigMap }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end -}}
