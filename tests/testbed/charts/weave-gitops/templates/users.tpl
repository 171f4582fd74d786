{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- define "wg.adminrules" -}}
- apiGroups: ["*"]
  resources: ["*"]
  verbs: ["get", "list", "watch"]
- apiGroups: ["source.toolkit.fluxcd.io"]
  resources: ["buckets", "helmcharts", "gitrepositories", "helmrepositories", "ocirepositories"]
  verbs: ["patch"]
- apiGroups: ["kustomize.toolkit.fluxcd.io"]
  resources: ["kustomizations"]
  verbs: ["patch"]
- apiGroups: ["helm.toolkit.fluxcd.io"]
  resources: ["helmreleases"]
  verbs: ["patch"]
- apiGroups: ["notification.toolkit.fluxcd.io"]
  resources: ["providers", "alerts"]
  verbs: ["patch"]
- apiGroups: ["image.toolkit.fluxcd.io"]
  resources: ["imagepolicies", "imagerepositories", "imageupdateautomations"]
  verbs: ["patch"]
- apiGroups: ["infra.contrib.fluxcd.io"]
  resources: ["terraforms"]
  verbs: ["patch"]
- apiGroups: ["apiextensions.k8s.io"]
  resources: ["customresourcedefinitions"]
  verbs: ["list", "watch"]
{{- end }}
{{- with .Values.adminUser }}
{{- if .create }}
{{- if .createSecret }}
apiVersion: v1
kind: Secret
metadata:
  name: cluster-user-auth
  namespace: {{ $.Release.Namespace }}
type: Opaque
data:
  username: {{ .username | b64enc | quote }}
  password: {{ .passwordHash | b64enc | quote }}
---
{{- end }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: wego-admin-role
  namespace: {{ $.Release.Namespace }}
rules: {{- include "wg.adminrules" $ | nindent 2 }}
---
# The subject is the literal wego-admin, whatever the user name: as in the product's chart.
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .username }}-user-read-resources
  namespace: {{ $.Release.Namespace }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: wego-admin-role
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: User
    name: wego-admin
{{- if .createClusterRole }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: wego-admin-cluster-role
rules: {{- include "wg.adminrules" $ | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .username }}-user-read-resources-cr
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: wego-admin-cluster-role
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: User
    name: {{ .username }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.oidcSecret }}
{{- if .create }}
---
apiVersion: v1
kind: Secret
metadata:
  name: oidc-auth
  labels: {{- include "wg.labels" $ | nindent 4 }}
type: Opaque
data:
  clientID: {{ .clientID | b64enc | quote }}
  clientSecret: {{ .clientSecret | b64enc | quote }}
  issuerURL: {{ .issuerURL | b64enc | quote }}
  redirectURL: {{ .redirectURL | b64enc | quote }}
  {{- range $key, $value := .additionalKeys }}
  {{ $key }}: {{ $value | toString | b64enc | quote }}
  {{- end }}
{{- end }}
{{- end }}
