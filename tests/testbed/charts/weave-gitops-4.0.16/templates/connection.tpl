{{/* SPDX-License-Identifier: GPL-3.0-or-later
     Up to 4.0.32 the chart had a test hook. */}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "wg.full" . }}-test-connection
  labels: {{- include "wg.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: wget
      image: busybox
      command: ["wget"]
      args: ["{{ include "wg.full" . }}:{{ .Values.service.port }}"]
