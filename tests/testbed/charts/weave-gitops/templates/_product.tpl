{{/* SPDX-License-Identifier: GPL-3.0-or-later */}}
{{- define "wg.product" -}}
app.kubernetes.io/part-of: weave-gitops
weave.works/app: weave-gitops-oss
{{- end }}
