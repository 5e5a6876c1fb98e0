{{/*
Migrations of one service.

mode job: a plain Job whose name carries a hash of its pod. A Job cannot be changed, so a new image gets a new Job and an
unchanged one is left alone, by Helm and by any tool that applies manifests. A server does not start on a schema that is
behind, so pods come up once their Job is done. mode hook: the same Job before everything else. A hook sees nothing of the release but what it brings itself, so it
has its own service account and reads only a Secret that exists. mode external: someone else runs `siyu migrate`.
*/}}

{{- define "siyu.migrationPod" -}}
{{- $values := .root.Values }}
{{- $database := mustMergeOverwrite (deepCopy $values.database) (.svc.database | default dict) }}
metadata:
  labels:
    {{- include "siyu.podLabels" (dict "root" .root "name" "migrate") | nindent 4 }}
spec:
  serviceAccountName: {{ include "siyu.fullname" .root }}-migrate
  restartPolicy: Never
  {{- include "siyu.podCommon" . | nindent 2 }}
  containers:
    - name: migrate
      image: {{ include "siyu.image" . }}
      imagePullPolicy: {{ include "siyu.imagePullPolicy" . }}
      args: [migrate, {{ .name }}]
      env:
        {{- $url := include "siyu.secretKey" (dict "root" .root "secret" $database.ownerSecret "key" ($database.ownerKey | default .name)) | fromYaml }}
        {{- include "siyu.env" (dict "env" (merge (deepCopy $values.migrations.extraEnv) (dict "SIYU__MIGRATIONS__URL" $url))) | nindent 8 }}
      resources:
        {{- toYaml $values.migrations.resources | nindent 8 }}
      securityContext:
        {{- toYaml .svc.securityContext | nindent 8 }}
{{- end }}

{{- define "siyu.migrationHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ .delete }}
{{- end }}

{{- define "siyu.migration" -}}
{{- $migrations := .root.Values.migrations }}
{{- $hash := include "siyu.migrationPod" . | sha256sum | trunc 8 }}
{{- $hook := dict }}
{{- if eq $migrations.mode "hook" }}
{{- $hook = include "siyu.migrationHook" (dict "weight" "-5" "delete" "before-hook-creation,hook-succeeded") | fromYaml }}
{{- end }}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (printf "%s-migrate-%s" (include "siyu.name" .) $hash) "annotations" (merge $hook $migrations.annotations)) | nindent 2 }}
spec:
  backoffLimit: {{ $migrations.backoffLimit }}
  template:
    {{- include "siyu.migrationPod" . | nindent 4 }}
{{- end }}

{{/* One account for all migrations: it has no rights in the cluster. */}}
{{- define "siyu.migrationAccount" -}}
{{- $hook := dict }}
{{- if eq .root.Values.migrations.mode "hook" }}
{{- $hook = include "siyu.migrationHook" (dict "weight" "-10" "delete" "before-hook-creation,hook-succeeded") | fromYaml }}
{{- end }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (printf "%s-migrate" (include "siyu.fullname" .root)) "annotations" $hook) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
