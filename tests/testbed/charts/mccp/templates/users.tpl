{{/* SPDX-License-Identifier: GPL-3.0-or-later
     Roles for people, and their bindings to the user wego-admin. */}}
{{- $admin := dict "apiGroup" "rbac.authorization.k8s.io" "kind" "User" "name" "wego-admin" }}
{{- if .Values.rbac.userRoles.create }}
{{- if .Values.rbac.userRoles.roleAggregation.enabled }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: gitops-reader
aggregationRule:
  clusterRoleSelectors:
    - matchLabels:
        rbac.authorization.k8s.io/aggregate-to-gitops-reader: "true"
rules: []
{{- end }}
{{- range $name, $rules := .Files.Get "files/user-roles.yaml" | fromYaml }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  labels:
    rbac.authorization.k8s.io/aggregate-to-gitops-reader: "true"
rules: {{- toYaml $rules | nindent 2 }}
{{- end }}
{{- end }}
{{- if .Values.rbac.adminUserRoleBindings.create }}
{{- range $name, $role := .Files.Get "files/user-bindings.yaml" | fromYaml }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "RoleBinding" "ClusterRoleBinding" (eq $role "gitops-secrets-reader") }}
metadata:
  name: {{ $name }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $role }}
subjects:
  - {{ toJson $admin }}
{{- end }}
{{- end }}
