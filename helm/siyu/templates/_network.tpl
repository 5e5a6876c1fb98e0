{{/*
Network policies from the service graph: a service is called by those that have an edge to it and by nobody else. Naming
a policy type without a rule for it denies it, so each policy is its service's default-deny too.
*/}}

{{/* The pods of some services of this release: (dict "root" $ "names" <list>). */}}
{{- define "siyu.podPeer" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
      app.kubernetes.io/instance: {{ .root.Release.Name }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: {{ toJson .names }}
{{- end }}

{{- define "siyu.networkPolicy" -}}
{{- $policy := .root.Values.networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "siyu.selector" . | nindent 6 }}
  policyTypes: [Ingress{{ if $policy.egress.enabled }}, Egress{{ end }}]
  ingress:
    # Its callers, and the pod of `helm test`. The kubelet's probes come from the node, which policies do not bind.
    - from:
        {{- include "siyu.podPeer" (dict "root" .root "names" (append (include "siyu.callers" . | fromYaml).callers "probe")) | nindent 8 }}
      ports:
        - {port: grpc, protocol: TCP}
    {{- if eq .name "gateway" }}
    # The door: open to everyone unless it is said who may come.
    - ports:
        - {port: grpc, protocol: TCP}
        - {port: http, protocol: TCP}
      {{- with $policy.gatewayFrom }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
  {{- if $policy.egress.enabled }}
  egress:
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    {{- with (include "siyu.peers" . | fromYaml).peers }}
    - to:
        {{- include "siyu.podPeer" (dict "root" $.root "names" .) | nindent 8 }}
      ports:
        - {port: grpc, protocol: TCP}
    {{- end }}
    # The database, the broker and the telemetry collector: elsewhere, so known by their ports.
    - ports:
        {{- range $policy.egress.ports }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
    {{- with $policy.egress.extra }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}
