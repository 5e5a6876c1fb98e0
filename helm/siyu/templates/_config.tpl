{{/* The configuration file of a service. Secrets are not in it: they come by environment, which stands above the file. */}}

{{- define "siyu.config" -}}
{{- $ctx := . }}
{{- $values := .root.Values }}
{{- $config := dict
  "grpc" (dict "addr" "0.0.0.0:8080")
  "admin" (dict "addr" "0.0.0.0:9090")
  "telemetry" (dict "format" $values.telemetry.format "otlp_endpoint" $values.telemetry.otlpEndpoint) }}
{{- if eq .name "gateway" }}{{ $_ := set $config "http" (dict "addr" "0.0.0.0:8081") }}{{ end }}
{{- if and $values.nats.url (not $values.nats.existingSecret) }}{{ $_ := set $config "nats" (dict "url" $values.nats.url) }}{{ end }}
{{- $enabled := include "siyu.enabled" .root | fromYaml }}
{{- $peers := dict }}
{{- range $peer := (include "siyu.peers" . | fromYaml).peers }}
{{- if hasKey $enabled $peer }}{{ $_ := set $peers $peer (include "siyu.address" (dict "root" $ctx.root "name" $peer)) }}{{ end }}
{{- with index $values.peers $peer }}{{ $_ := set $peers $peer . }}{{ end }}
{{- end }}
{{- if $peers }}{{ $_ := set $config "peers" $peers }}{{ end }}
{{- include "siyu.toml" (dict "path" "" "table" (mustMergeOverwrite $config (deepCopy $values.config) (.svc.config | default dict))) }}
{{- end }}

{{/* A map as TOML. JSON's texts, numbers, booleans and lists are TOML's too, and unlike toToml this keeps 5 from becoming 5.0. */}}
{{- define "siyu.toml" -}}
{{- $outer := . }}
{{- range $key, $value := .table }}
{{- if not (kindIs "map" $value) }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key, $value := .table }}
{{- if kindIs "map" $value }}
{{- $path := list $outer.path $key | compact | join "." }}

[{{ $path }}]
{{- include "siyu.toml" (dict "path" $path "table" $value) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Environment as a map, printed in the order of the names: what a user adds replaces what the chart sets, and no name can
appear twice, which server-side apply refuses. Given (dict "env" <map of value or EnvVar fields>).
*/}}
{{- define "siyu.env" -}}
{{- range $name, $value := .env }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A reference to a key of a Secret that exists; its name may be a template. */}}
{{- define "siyu.secretKey" -}}
valueFrom:
  secretKeyRef:
    name: {{ tpl .secret .root }}
    key: {{ tpl .key .root }}
{{- end }}

{{- define "siyu.serviceEnv" -}}
{{- $values := .root.Values }}
{{- $database := mustMergeOverwrite (deepCopy $values.database) (.svc.database | default dict) }}
{{- $env := dict
  "SIYU_CONFIG" "/etc/siyu/siyu.toml"
  "SIYU__DATABASE__URL" (include "siyu.secretKey" (dict "root" .root "secret" $database.existingSecret "key" ($database.key | default .name)) | fromYaml)
  "SIYU__AUTH__INTERNAL_KEY" (include "siyu.secretKey" (dict "root" .root "secret" $values.auth.existingSecret "key" $values.auth.key) | fromYaml) }}
{{- if has .name (list "member" "order") }}
{{- $prefix := printf "SIYU__%s__VAULT_KEY" (upper .name) }}
{{- $_ := set $env $prefix (include "siyu.secretKey" (dict "root" .root "secret" $values.vault.existingSecret "key" $values.vault.key) | fromYaml) }}
{{- if $values.vault.keyBefore }}
{{- $_ := set $env (printf "%s_BEFORE" $prefix) (include "siyu.secretKey" (dict "root" .root "secret" $values.vault.existingSecret "key" $values.vault.keyBefore) | fromYaml) }}
{{- end }}
{{- end }}
{{- if $values.nats.existingSecret }}
{{- $_ := set $env "SIYU__NATS__URL" (include "siyu.secretKey" (dict "root" .root "secret" $values.nats.existingSecret "key" $values.nats.key) | fromYaml) }}
{{- end }}
{{- include "siyu.env" (dict "env" (merge (deepCopy .svc.extraEnv) $env)) }}
{{- end }}
