{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- define "mccp.full" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (.Values.nameOverride | default .Chart.Name) .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (.Values.nameOverride | default .Chart.Name) | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "mccp.selector" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mccp.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "mccp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "mccp.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "mccp.full" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "mccp.methods" -}}
{{- $all := list -}}
{{- if .Values.config.auth.userAccount.enabled }}{{ $all = append $all "user-account" }}{{ end -}}
{{- if .Values.config.auth.tokenPassthrough.enabled }}{{ $all = append $all "token-passthrough" }}{{ end -}}
{{- if .Values.config.oidc.enabled }}{{ $all = append $all "oidc" }}{{ end -}}
{{- join "," $all -}}
{{- end }}
