{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "wg.account" . }}
  labels: {{- include "wg.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- if .Values.rbac.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "wg.full" . }}
rules:
  - apiGroups: [""]
    resources: {{ toJson .Values.rbac.impersonationResources }}
    verbs: ["impersonate"]
    {{- with .Values.rbac.impersonationResourceNames }}
    resourceNames: {{ toJson . }}
    {{- end }}
  {{- with .Values.rbac.viewSecretsResourceNames }}
  - apiGroups: [""]
    resources: ["secrets"]
    verbs: ["get", "list"]
    resourceNames: {{ toJson . }}
  {{- end }}
  - apiGroups: [""]
    resources: ["namespaces"]
    verbs: ["get", "list", "watch"]
  - apiGroups: ["apiextensions.k8s.io"]
    resources: ["customresourcedefinitions"]
    verbs: ["list"]
  {{- with .Values.rbac.additionalRules }}{{ toYaml . | nindent 2 }}{{ end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "wg.full" . }}
  labels: {{- include "wg.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "wg.full" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "wg.account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
