{{/*
Who speaks to whom: the one place that knows. Peer addresses and network policies both follow from it.

"asks": whom a service sends commands to; this part has no cycle. "hears": whose event log it reads. With NATS the events
travel by the broker, yet the log stays the place where a loss is healed from, so the edge stays.
*/}}
{{- define "siyu.graph" -}}
member:       {asks: [],       hears: [distribution, messaging, order]}
order:        {asks: [member], hears: [member]}
distribution: {asks: [member, order], hears: [member, messaging, order]}
messaging:    {asks: [member], hears: [distribution, member, metrics, order]}
metrics:      {asks: [],       hears: [distribution, member, messaging, order]}
gateway:
  asks: [distribution, member, messaging, metrics, order]
  hears: [distribution, member, messaging, metrics, order]
{{- end }}

{{/* The services that run in this release, with their settings over the defaults, as {name: settings}. */}}
{{- define "siyu.enabled" -}}
{{- $services := dict }}
{{- range $name := include "siyu.graph" . | fromYaml | keys | sortAlpha }}
{{- $svc := mustMergeOverwrite (deepCopy $.Values.defaults) (index $.Values.services $name | default dict) }}
{{- if $svc.enabled }}{{ $_ := set $services $name $svc }}{{ end }}
{{- end }}
{{- toYaml $services }}
{{- end }}

{{/* Whom a service calls: {peers: [...]}. */}}
{{- define "siyu.peers" -}}
{{- $edges := index (include "siyu.graph" .root | fromYaml) .name }}
{{- dict "peers" (concat $edges.asks $edges.hears | uniq | sortAlpha) | toYaml }}
{{- end }}

{{/* Who calls a service: {callers: [...]}. */}}
{{- define "siyu.callers" -}}
{{- $ctx := . }}
{{- $callers := list }}
{{- range $name, $edges := include "siyu.graph" .root | fromYaml }}
{{- if has $ctx.name (concat $edges.asks $edges.hears) }}{{ $callers = append $callers $name }}{{ end }}
{{- end }}
{{- dict "callers" ($callers | sortAlpha) | toYaml }}
{{- end }}

{{/*
Where a service is called. The headless name stands for all ready pods, so that a client can spread its calls over them;
a mesh does that itself and wants the service's own name.
*/}}
{{- define "siyu.address" -}}
{{- $suffix := ternary "" "-headless" .root.Values.mesh.enabled }}
{{- printf "http://%s%s.%s.svc:8080" (include "siyu.name" .) $suffix .root.Release.Namespace }}
{{- end }}
