{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- if .Values.networkPolicy.create }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-dashboard-ingress
spec:
  podSelector:
    matchLabels: {{- include "wg.selector" . | nindent 6 }}
  policyTypes: ["Ingress"]
  ingress:
    - ports:
        - protocol: TCP
          port: 9001
        {{- if .Values.metrics.enabled }}
        - protocol: TCP
          port: {{ .Values.metrics.service.port }}
        {{- end }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-dashboard-egress
spec:
  podSelector:
    matchLabels: {{- include "wg.selector" . | nindent 6 }}
  policyTypes: ["Egress"]
  egress:
    - {}
{{- end }}
