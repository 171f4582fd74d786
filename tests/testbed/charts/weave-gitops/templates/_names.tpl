{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- define "wg.short" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "wg.full" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (.Values.nameOverride | default .Chart.Name) .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (.Values.nameOverride | default .Chart.Name) | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "wg.selector" -}}
app.kubernetes.io/name: {{ include "wg.short" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wg.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "wg.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "wg.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "wg.full" .) "default" .Values.serviceAccount.create) }}
{{- end }}
