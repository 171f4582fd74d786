{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "wg.full" . }}
  labels:
    {{- include "wg.labels" . | nindent 4 }}
    {{- include "wg.product" . | nindent 4 }}
  {{- with .Values.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels: {{- include "wg.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "wg.selector" . | nindent 8 }}
        {{- include "wg.product" . | nindent 8 }}
        {{- with .Values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      serviceAccountName: {{ include "wg.account" . }}
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args:
            - --log-level
            - {{ .Values.logLevel | quote }}
            {{- if .Values.serverTLS.enable }}
            - --tls-cert-file
            - /etc/tls-volume/tls.crt
            - --tls-private-key-file
            - /etc/tls-volume/tls.key
            {{- else }}
            - --insecure
            {{- end }}
            {{- if .Values.metrics.enabled }}
            - --enable-metrics
            - --metrics-address=:{{ .Values.metrics.service.port }}
            {{- end }}
            {{- with .Values.additionalArgs }}{{ toYaml . | nindent 12 }}{{ end }}
          {{- with .Values.envVars }}
          env: {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: http
              containerPort: 9001
              protocol: TCP
            {{- if .Values.metrics.enabled }}
            - name: http-metrics
              containerPort: {{ .Values.metrics.service.port }}
              protocol: TCP
            {{- end }}
          {{- range $probe := list "livenessProbe" "readinessProbe" }}
          {{ $probe }}:
            httpGet:
              path: /
              port: http
              scheme: {{ ternary "HTTPS" "HTTP" $.Values.serverTLS.enable }}
          {{- end }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
          {{- if or .Values.serverTLS.enable .Values.extraVolumeMounts }}
          volumeMounts:
            {{- if .Values.serverTLS.enable }}
            - name: tls-volume
              mountPath: /etc/tls-volume
              readOnly: true
            {{- end }}
            {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
          {{- end }}
      {{- if or .Values.serverTLS.enable .Values.extraVolumes }}
      volumes:
        {{- if .Values.serverTLS.enable }}
        - name: tls-volume
          secret:
            secretName: {{ .Values.serverTLS.secretName }}
        {{- end }}
        {{- with .Values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
