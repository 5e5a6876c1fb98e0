{{/* Pods: what every one of them has, and the pod of a service. */}}

{{/* What servers, migrations and tests have in common. */}}
{{- define "siyu.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ tpl . $.root }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .svc.podSecurityContext | nindent 2 }}
{{- with .svc.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .svc.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .svc.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .svc.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "siyu.pod" -}}
metadata:
  labels:
    {{- include "siyu.podLabels" . | nindent 4 }}
    {{- with .svc.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "siyu.config" . | sha256sum }}
    {{- with .svc.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "siyu.serviceAccountName" . }}
  {{- include "siyu.podCommon" . | nindent 2 }}
  {{- with .svc.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .svc.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .svc.topologySpread.enabled }}
  # Counted per revision, or the pods of the old one would decide where those of the new one go.
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: {{ .svc.topologySpread.topologyKey }}
      whenUnsatisfiable: {{ .svc.topologySpread.whenUnsatisfiable }}
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "siyu.selector" . | nindent 10 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .svc.terminationGracePeriodSeconds }}
  {{- with .svc.initContainers }}
  initContainers:
    {{- tpl (toYaml .) $.root | nindent 4 }}
  {{- end }}
  containers:
    - {{- include "siyu.container" . | nindent 6 }}
    {{- with .svc.sidecars }}
    {{- tpl (toYaml .) $.root | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "siyu.name" . }}
    {{- with .svc.extraVolumes }}
    {{- tpl (toYaml .) $.root | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "siyu.container" -}}
name: {{ .name }}
image: {{ include "siyu.image" . }}
imagePullPolicy: {{ include "siyu.imagePullPolicy" . }}
args: [serve, {{ .name }}]
ports:
  - name: grpc
    containerPort: 8080
  {{- if eq .name "gateway" }}
  - name: http
    containerPort: 8081
  {{- end }}
  - name: admin
    containerPort: 9090
env:
  {{- include "siyu.serviceEnv" . | nindent 2 }}
{{- with .svc.extraEnvFrom }}
envFrom:
  {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
# Whether the process lives is asked without the database, or an outage of the one would restart all of the other.
startupProbe:
  httpGet: {path: /livez, port: admin}
  {{- toYaml .svc.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /livez, port: admin}
  {{- toYaml .svc.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  {{- toYaml .svc.probes.readiness | nindent 2 }}
{{- with .svc.preStopSleepSeconds }}
# Endpoints forget a pod some seconds after it is told to stop; until then it still gets calls.
lifecycle:
  preStop:
    sleep:
      seconds: {{ . }}
{{- end }}
resources:
  {{- toYaml .svc.resources | nindent 2 }}
securityContext:
  {{- toYaml .svc.securityContext | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/siyu
    readOnly: true
  {{- with .svc.extraVolumeMounts }}
  {{- tpl (toYaml .) $.root | nindent 2 }}
  {{- end }}
{{- end }}
