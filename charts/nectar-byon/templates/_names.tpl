{{- define "nectar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Room is left for the longest suffix: a pod's name is a label too. */}}
{{- define "nectar.fullname" -}}
{{- $name := include "nectar.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "nectar" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The node's name among others of the cluster, in the certificates of its crossings. */}}
{{- define "nectar.instance" -}}
{{- printf "%s.%s" (include "nectar.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "nectar.selector" -}}
app.kubernetes.io/name: {{ include "nectar.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "nectar.labels" -}}
{{ include "nectar.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: nectar-byon
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "nectar.image" -}}
{{- $image := .root.Values.image -}}
{{- $registry := ternary "" (printf "%s/" (trimSuffix "/" $image.registry)) (empty $image.registry) -}}
{{- $name := printf "%s%s-%s" $registry $image.prefix .role -}}
{{- $digest := index $image.digests .role -}}
{{- if $digest -}}
{{- printf "%s@%s" $name $digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "nectar.isOpenShift" -}}
{{- $choice := .Values.compatibility.openshift -}}
{{- if or (eq $choice "force") (and (eq $choice "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}true{{- end -}}
{{- end -}}

{{- define "nectar.port" -}}
{{- get (dict "store" 7402 "audit" 7403 "rollup" 7404) . -}}
{{- end -}}

{{/* Sections of the configuration that a role reads (cli/provision/docker/container-config.ts): another value of one rolls that role. */}}
{{- define "nectar.configDigest" -}}
{{- $sections := dict "gateway" (list "log" "gateway") "store" (list "log" "keys" "store" "custody") "audit" (list "log" "audit") "rollup" (list "log" "rollup" "p2p" "replication" "anchor" "witness") -}}
{{- $config := include "nectar.config" .root | fromJson -}}
{{- $read := dict -}}
{{- range get $sections .role }}{{ if hasKey $config . }}{{ $_ := set $read . (get $config .) }}{{ end }}{{ end -}}
{{- printf "%s%s%s%s" (toJson $read) .root.Values.network.descriptor .root.Values.network.existingConfigMap .root.Values.identity.public | sha256sum -}}
{{- end -}}

{{/* config.json: the owner's options, and what the chart sets. */}}
{{- define "nectar.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "version" 1 -}}
{{- $gateway := dict "host" "0.0.0.0" "port" 8443 -}}
{{- if .Values.identity.existingBootstrapTokenSecret }}{{ $_ := set $gateway "bootstrapTokenFile" "/run/secrets/nectar-bootstrap/token" }}{{ end -}}
{{- if .Values.monitoring.metrics }}{{ $_ := merge $gateway (dict "metricsHost" "0.0.0.0" "metricsPort" 9464) }}{{ end -}}
{{- $names := concat (list (printf "%s-gateway" (include "nectar.fullname" .)) (printf "%s-gateway.%s.svc" (include "nectar.fullname" .) .Release.Namespace)) .Values.gateway.tls.hostNames .Values.gateway.ingress.hosts .Values.gateway.tlsRoute.hosts (dig "gateway" "hostNames" list $config) -}}
{{- $_ := set $gateway "hostNames" (uniq $names) -}}
{{- $_ := set $config "gateway" (merge $gateway (default dict $config.gateway)) -}}
{{- $p2p := dict "listenHost" "0.0.0.0" "listenPort" 4640 -}}
{{- with .Values.rollup.p2p.announce }}{{ $_ := set $p2p "announce" . }}{{ end -}}
{{- $_ := set $config "p2p" (merge $p2p (default dict $config.p2p)) -}}
{{- if .Values.rollup.existingCaConfigMap }}
{{- $_ := set $config "rollup" (merge (dict "caFile" "/run/nectar/authorities/ca.crt") (default dict $config.rollup)) -}}
{{- end -}}
{{- if include "nectar.hasRootKey" . }}
{{- $_ := set $config "keys" (merge (dict "keyFile" (printf "/run/secrets/nectar/%s" (ternary "root-key" .Values.rootKey.csi.file (not (empty .Values.rootKey.existingSecret))))) (default dict $config.keys)) -}}
{{- end -}}
{{- toJson $config -}}
{{- end -}}

{{- define "nectar.hasRootKey" -}}
{{- if or .Values.rootKey.existingSecret .Values.rootKey.csi.driver -}}true{{- end -}}
{{- end -}}

{{- define "nectar.crossingSecret" -}}
{{- if eq .root.Values.crossings.issuer "existing" -}}
{{- required (printf "crossings.existingSecrets.%s: issuer existing needs a Secret for each role" .role) (index .root.Values.crossings.existingSecrets .role) -}}
{{- else -}}
{{- printf "%s-%s-crossing" (include "nectar.fullname" .root) .role -}}
{{- end -}}
{{- end -}}

{{- define "nectar.gatewaySecret" -}}
{{- if eq .Values.gateway.tls.issuer "existing" -}}
{{- required "gateway.tls.existingSecret: issuer existing needs it" .Values.gateway.tls.existingSecret -}}
{{- else -}}
{{- printf "%s-gateway-tls" (include "nectar.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* Every name by which the API is called: the certificate has them. */}}
{{- define "nectar.gatewayNames" -}}
{{- $service := printf "%s-gateway" (include "nectar.fullname" .) -}}
{{- toJson (uniq (concat (list "localhost" $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace)) .Values.gateway.tls.hostNames .Values.gateway.ingress.hosts .Values.gateway.tlsRoute.hosts)) -}}
{{- end -}}
