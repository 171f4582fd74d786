{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
apiVersion: v1
kind: Service
metadata:
  name: clusters-service
  {{- with .Values.service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.service }}
  type: {{ .type }}
  {{- with .clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  {{- with .externalIPs }}
  externalIPs: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .loadBalancerIP }}
  loadBalancerIP: {{ . }}
  {{- end }}
  {{- with .loadBalancerSourceRanges }}
  loadBalancerSourceRanges: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .externalTrafficPolicy }}
  externalTrafficPolicy: {{ . }}
  {{- end }}
  {{- with .healthCheckNodePort }}
  healthCheckNodePort: {{ . }}
  {{- end }}
  ports:
    {{- $service := . }}
    {{- range $name, $port := .ports }}
    - name: {{ $name }}
      port: {{ $port }}
      targetPort: {{ index $service.targetPorts $name | default $port }}
      protocol: TCP
      {{- with index $service.nodePorts $name }}
      nodePort: {{ . }}
      {{- end }}
    {{- end }}
  {{- end }}
    {{- if .Values.monitoring.enabled }}
    - name: {{ .Values.monitoring.service.name }}
      port: {{ .Values.monitoring.service.port }}
      targetPort: {{ .Values.monitoring.service.port }}
      protocol: TCP
    {{- end }}
  selector:
    app: clusters-service
{{- if .Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "mccp.full" . }}-allow-wge-ingress
spec:
  podSelector:
    matchLabels:
      app: clusters-service
  policyTypes: ["Ingress"]
  ingress:
    - from:
        - namespaceSelector: {}
{{- end }}
{{- if .Values.ingress.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "mccp.full" . }}-ingress
  labels: {{- include "mccp.labels" . | nindent 4 }}
  {{- with .Values.ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .Values.ingress.tls }}
  tls: {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ .path }}
            pathType: {{ .pathType }}
            backend:
              service:
                name: {{ $.Values.ingress.service.name }}
                port:
                  number: {{ $.Values.ingress.service.port }}
          {{- end }}
    {{- end }}
{{- end }}
