{{/* Names, labels and the image. Every template gets (dict "root" $ "name" <service> "svc" <its settings>). */}}

{{/* 32: the longest name made of it, a migration Job of distribution, stays within the 63 of a DNS label. */}}
{{- define "siyu.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 32 | trimSuffix "-" }}
{{- end }}

{{- define "siyu.name" -}}
{{ include "siyu.fullname" .root }}-{{ .name }}
{{- end }}

{{/* What selects pods: it can never change, so nothing that a user or a release may change is in it. */}}
{{- define "siyu.selector" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* What pods carry: no version, so that a new chart alone restarts nothing. */}}
{{- define "siyu.podLabels" -}}
{{ include "siyu.selector" . }}
app.kubernetes.io/part-of: siyu
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "siyu.labels" -}}
{{ include "siyu.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{/* The head of every object: (dict "ctx" <context> "name" <full name> "annotations" <map>). */}}
{{- define "siyu.metadata" -}}
name: {{ .name }}
namespace: {{ .ctx.root.Release.Namespace }}
labels:
  {{- include "siyu.labels" .ctx | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* registry/repository:tag, or @digest, which says more than a tag and wins. */}}
{{- define "siyu.image" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (.svc.image | default dict) }}
{{- $repository := list $image.registry $image.repository | compact | join "/" }}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}
{{- else }}{{ $repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "siyu.imagePullPolicy" -}}
{{ (.svc.image | default dict).pullPolicy | default .root.Values.image.pullPolicy }}
{{- end }}

{{- define "siyu.serviceAccountName" -}}
{{- if .svc.serviceAccount.create }}{{ .svc.serviceAccount.name | default (include "siyu.name" .) }}
{{- else }}{{ .svc.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}
