{{/* A service's own objects, one definition each. */}}

{{- define "siyu.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .) "annotations" .svc.annotations) | nindent 2 }}
spec:
  {{- if not .svc.autoscaling.enabled }}
  # Left out when an autoscaler owns it: rendering it would set the count back at every upgrade.
  replicas: {{ .svc.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "siyu.selector" . | nindent 6 }}
  template:
    {{- include "siyu.pod" . | nindent 4 }}
{{- end }}

{{- define "siyu.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .)) | nindent 2 }}
data:
  siyu.toml: |
    {{- include "siyu.config" . | trim | nindent 4 }}
{{- end }}

{{/* Two services for one set of pods: one address for callers that want one, all addresses for those that balance. */}}
{{- define "siyu.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .) "annotations" .svc.service.annotations) | nindent 2 }}
spec:
  type: {{ .svc.service.type }}
  selector:
    {{- include "siyu.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 8080, targetPort: grpc, appProtocol: kubernetes.io/h2c}
    {{- if eq .name "gateway" }}
    - {name: http, port: 8081, targetPort: http, appProtocol: http}
    {{- end }}
{{- end }}

{{- define "siyu.headless" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (printf "%s-headless" (include "siyu.name" .))) | nindent 2 }}
spec:
  clusterIP: None
  # A pod that is not ready is not to be called.
  publishNotReadyAddresses: false
  selector:
    {{- include "siyu.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 8080, targetPort: grpc, appProtocol: kubernetes.io/h2c}
{{- end }}

{{- define "siyu.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.serviceAccountName" .) "annotations" .svc.serviceAccount.annotations) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{- define "siyu.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .)) | nindent 2 }}
spec:
  maxUnavailable: {{ .svc.podDisruptionBudget.maxUnavailable }}
  # A pod that is broken anyway does not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "siyu.selector" . | nindent 6 }}
{{- end }}

{{- define "siyu.horizontalPodAutoscaler" -}}
{{- $hpa := .svc.autoscaling }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "siyu.metadata" (dict "ctx" . "name" (include "siyu.name" .)) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "siyu.name" . }}
  minReplicas: {{ $hpa.minReplicas }}
  maxReplicas: {{ $hpa.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $hpa.cpuPercent }}
    {{- with $hpa.metrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $hpa.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
