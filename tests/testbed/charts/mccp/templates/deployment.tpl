{{/* SPDX-License-Identifier: GPL-3.0-or-later
     No probes, no resources, no security context: as in the product's chart. */}}
{{- $oidc := .Values.config.oidc }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "mccp.full" . }}-cluster-service
  labels:
    {{- include "mccp.labels" . | nindent 4 }}
    app: clusters-service
    app.kubernetes.io/part-of: weave-gitops
    weave.works/app: weave-gitops-enterprise
spec:
  replicas: 1
  selector:
    matchLabels:
      app: clusters-service
  template:
    metadata:
      labels:
        {{- include "mccp.selector" . | nindent 8 }}
        app: clusters-service
        app.kubernetes.io/part-of: weave-gitops
        weave.works/app: weave-gitops-enterprise
      annotations:
        checksum/config: {{ include (print $.Template.BasePath "/configmap.tpl") . | sha256sum }}
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      serviceAccountName: {{ include "mccp.account" . }}
      initContainers:
        - name: mount-ui-server
          image: {{ .Values.images.uiServer }}
          command: ["/bin/sh", "-c", "cp -r /html/* /tmp-html"]
          volumeMounts:
            - name: html
              mountPath: /tmp-html
      containers:
        - name: clusters-service
          image: {{ .Values.images.clustersService }}
          imagePullPolicy: IfNotPresent
          args:
            - --pipeline-controller-address=http://{{ .Release.Name }}-pipeline-controller-promotion:8082
            - --log-level
            - {{ .Values.config.logLevel | quote }}
            {{- with .Values.clustersService.args }}{{ toYaml . | nindent 12 }}{{ end }}
            {{- with .Values.additionalArgs }}{{ toYaml . | nindent 12 }}{{ end }}
          ports:
            - name: server
              containerPort: 8000
            {{- if .Values.monitoring.enabled }}
            - name: monitoring
              containerPort: {{ .Values.monitoring.service.port }}
            {{- end }}
          envFrom:
            - configMapRef:
                name: {{ include "mccp.full" . }}-cluster-service
            - secretRef:
                name: git-provider-credentials
                optional: true
            {{- with .Values.extraEnvVarsSecret }}
            - secretRef:
                name: {{ . }}
                optional: true
            {{- end }}
          env:
            - name: RUNTIME_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            {{- if $oidc.enabled }}
            - name: OIDC_CLIENT_ID
              valueFrom:
                secretKeyRef:
                  name: {{ $oidc.clientCredentialsSecret }}
                  key: clientID
            - name: OIDC_CLIENT_SECRET
              valueFrom:
                secretKeyRef:
                  name: {{ $oidc.clientCredentialsSecret }}
                  key: clientSecret
            {{- end }}
            {{- with .Values.envVars }}{{ toYaml . | nindent 12 }}{{ end }}
            {{- with .Values.extraEnvVars }}{{ toYaml . | nindent 12 }}{{ end }}
          volumeMounts:
            - name: html
              mountPath: /html
            {{- if and .Values.tls.enabled .Values.tls.secretName }}
            - name: clusters-service-tls
              mountPath: /etc/clusters-service-tls
              readOnly: true
            {{- end }}
            {{- with .Values.extraVolumeMounts }}{{ tpl (toYaml .) $ | nindent 12 }}{{ end }}
            {{- with .Values.config.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: html
          emptyDir: {}
        {{- if and .Values.tls.enabled .Values.tls.secretName }}
        - name: clusters-service-tls
          secret:
            secretName: {{ .Values.tls.secretName }}
        {{- end }}
        {{- with .Values.extraVolumes }}{{ tpl (toYaml .) $ | nindent 8 }}{{ end }}
        {{- with .Values.config.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
