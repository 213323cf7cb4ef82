{{- define "reattach.name" -}}
{{ default .Release.Name .Values.fullnameOverride }}
{{- end }}

{{- define "reattach.serviceAccountName" -}}
{{ default (include "reattach.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "reattach.selectorLabels" -}}
app.kubernetes.io/name: reattach
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "reattach.labels" -}}
{{ include "reattach.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "reattach.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{- /* Kinds of backends in use, separated by spaces: those of config.backends, else the one whose options are set. */ -}}
{{- define "reattach.kinds" -}}
{{- $kinds := list }}
{{- range .Values.config.backends }}
{{- $kinds = append $kinds (default "rds" .kind) }}
{{- else }}
{{- $kinds = list (hasKey .Values.config "linux-nvmet" | ternary "linux-nvmet" "rds") }}
{{- end }}
{{- $kinds | uniq | join " " }}
{{- end }}

{{- /* The configuration file. The default user of an rds backend is left out where none is in use. */ -}}
{{- define "reattach.config" -}}
{{- if has "rds" (include "reattach.kinds" . | splitList " ") }}
{{- toYaml .Values.config }}
{{- else }}
{{- toYaml (omit .Values.config "rds") }}
{{- end }}
{{- end }}

{{- /* The status page: the address that the operator gave, else how to reach it. */ -}}
{{- define "reattach.pageUrl" -}}
{{ default (printf "http://127.0.0.1:%v/ after kubectl -n %s port-forward deploy/%s %v" .Values.port .Release.Namespace (include "reattach.name" .) .Values.port) .Values.prometheusRule.pageUrl }}
{{- end }}

{{- /* "true" in the mode in which the controller writes to the cluster. */ -}}
{{- define "reattach.fences" -}}
{{ if eq (default "observe" .Values.config.mode) "fence" }}true{{ end }}
{{- end }}

{{- /* "true" where the cluster has ValidatingAdmissionPolicies. A version, not an API: `helm template` knows no cluster. */ -}}
{{- define "reattach.knowsPolicies" -}}
{{ if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}true{{ end }}
{{- end }}
