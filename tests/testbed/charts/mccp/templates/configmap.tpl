{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "mccp.full" . }}-cluster-service
  labels: {{- include "mccp.labels" . | nindent 4 }}
data:
  CLUSTER_NAME: {{ .Values.config.cluster.name | quote }}
  GIT_PROVIDER_TYPE: {{ .Values.config.git.type | quote }}
  GIT_PROVIDER_HOSTNAME: {{ .Values.config.git.hostname | quote }}
  CAPI_CLUSTERS_NAMESPACE: {{ .Values.config.capi.clusters.namespace | quote }}
  CAPI_TEMPLATES_NAMESPACE: {{ .Values.config.capi.templates.namespace | quote }}
  CAPI_TEMPLATES_REPOSITORY_URL: {{ .Values.config.capi.repositoryURL | quote }}
  CAPI_TEMPLATES_REPOSITORY_API_URL: {{ .Values.config.capi.repositoryApiURL | quote }}
  CAPI_TEMPLATES_REPOSITORY_BASE_BRANCH: {{ .Values.config.capi.baseBranch | quote }}
  CAPI_REPOSITORY_PATH: {{ .Values.config.capi.repositoryPath | quote }}
  CAPI_REPOSITORY_CLUSTERS_PATH: {{ .Values.config.capi.repositoryClustersPath | quote }}
  CAPI_ENABLED: {{ .Values.global.capiEnabled | quote }}
  INJECT_PRUNE_ANNOTATION: {{ .Values.config.capi.templates.injectPruneAnnotation | quote }}
  ADD_BASES_KUSTOMIZATION: {{ .Values.config.capi.templates.addBasesKustomization | quote }}
  AUTH_METHODS: {{ include "mccp.methods" . | quote }}
  INSECURE_NO_AUTHENTICATION_USER: {{ .Values.config.auth.noAuthentication.user | quote }}
  {{- with .Values.config.oidc }}
  {{- if .enabled }}
  OIDC_ISSUER_URL: {{ .issuerURL | quote }}
  OIDC_REDIRECT_URL: {{ .redirectURL | quote }}
  OIDC_TOKEN_DURATION: {{ .cookieDuration | quote }}
  OIDC_CLAIM_USERNAME: {{ .claimUsername | quote }}
  OIDC_CLAIM_GROUPS: {{ .claimGroups | quote }}
  OIDC_USERNAME_PREFIX: {{ .usernamePrefix | quote }}
  OIDC_GROUPS_PREFIX: {{ .groupsPrefix | quote }}
  {{- end }}
  CUSTOM_OIDC_SCOPES: {{ .customScopes | quote }}
  {{- end }}
  NO_TLS: {{ not .Values.tls.enabled | quote }}
  {{- if and .Values.tls.enabled .Values.tls.secretName }}
  TLS_CERT_FILE: /etc/clusters-service-tls/tls.crt
  TLS_PRIVATE_KEY: /etc/clusters-service-tls/tls.key
  {{- end }}
  UI_CONFIG: {{ dict "logoURL" .Values.config.ui.logoURL "footer" .Values.config.ui.footer | toJson | quote }}
  COLLECTOR_SERVICEACCOUNT_NAME: {{ .Values.explorer.collector.serviceAccount.name | quote }}
  COLLECTOR_SERVICEACCOUNT_NAMESPACE: {{ .Values.explorer.collector.serviceAccount.namespace | quote }}
  MONITORING_ENABLED: {{ .Values.monitoring.enabled | quote }}
  MONITORING_BIND_ADDRESS: ":{{ .Values.monitoring.service.port }}"
  MONITORING_METRICS_ENABLED: {{ .Values.monitoring.metrics.enabled | quote }}
  MONITORING_PROFILING_ENABLED: {{ .Values.monitoring.profiling.enabled | quote }}
  EXPLORER_ENABLED_FOR: {{ join "," .Values.explorer.enabledFor | quote }}
  EXPLORER_CLEANER_DISABLED: {{ .Values.explorer.cleaner.disabled | quote }}
  USE_K8S_CACHED_CLIENTS: {{ .Values.global.useK8sCachedClients | quote }}
  {{- if not .Values.config.checkpoint.enabled }}
  CHECKPOINT_DISABLE: "1"
  {{- end }}
