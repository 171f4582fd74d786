{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- if .Values.service.create }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "wg.full" . }}
  labels: {{- include "wg.labels" . | nindent 4 }}
  {{- if or .Values.service.annotations .Values.metrics.enabled }}
  annotations:
    {{- with .Values.service.annotations }}{{ toYaml . | nindent 4 }}{{ end }}
    {{- if .Values.metrics.enabled }}{{ tpl (toYaml .Values.metrics.service.annotations) . | nindent 4 }}{{ end }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  ports:
    - name: http
      port: {{ .Values.service.port }}
      targetPort: http
      protocol: TCP
      {{- if and (eq .Values.service.type "NodePort") .Values.service.nodePort }}
      nodePort: {{ .Values.service.nodePort }}
      {{- end }}
    {{- if .Values.metrics.enabled }}
    - name: http-metrics
      port: {{ .Values.metrics.service.port }}
      targetPort: http-metrics
      protocol: TCP
    {{- end }}
  selector: {{- include "wg.selector" . | nindent 4 }}
{{- end }}
