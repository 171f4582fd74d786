{{/* SPDX-License-Identifier: GPL-3.0-or-later
     The server's ServiceAccount and what it may do; all cluster-scoped names are fixed, as in the product's chart. */}}
{{- $collector := .Values.explorer.collector.serviceAccount }}
{{- $me := dict "kind" "ServiceAccount" "name" (include "mccp.account" .) "namespace" .Release.Namespace }}
{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "mccp.account" . }}
  labels: {{- include "mccp.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
---
{{- end }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $collector.name }}
  namespace: {{ $collector.namespace }}
{{- range $name, $rules := .Files.Get "files/server-roles.yaml" | fromYaml }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
rules: {{- toYaml $rules | nindent 2 }}
{{- end }}
{{- range $name, $role := .Files.Get "files/server-bindings.yaml" | fromYaml }}
{{- $wide := or (ne $name "clusters-service-secrets-role") (not $.Values.config.capi.clusters.namespace) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRoleBinding" "RoleBinding" $wide }}
metadata:
  name: {{ $name }}
  {{- if not $wide }}
  namespace: {{ $.Values.config.capi.clusters.namespace }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $role }}
subjects:
  {{- if eq $name "collector" }}
  - kind: ServiceAccount
    name: {{ $collector.name }}
    namespace: {{ $collector.namespace }}
  {{- else }}
  - {{ toJson $me }}
  {{- end }}
{{- end }}
{{- range $name, $namespace := dict "clusters-service-read-entitlements" "flux-system" "clusters-service-secrets-role-default" .Release.Namespace }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: clusters-service-secrets-role
subjects:
  - {{ toJson $me }}
{{- end }}
