{{/* SPDX-License-Identifier: GPL-3.0-or-later
     Before 4.0.18 nothing carried product labels. */}}
{{- define "wg.product" -}}
{{- end }}
