import { describe, expect, it } from 'vitest';
import { evaluateTemplate } from './template-evaluator.ts';
import { parseTemplate } from './template-parser.ts';

const ROOT = {
  Values: {
    name: 'box',
    port: 22,
    empty: '',
    off: false,
    list: ['a', 'b'],
    map: { b: 1, a: ['x'] },
    none: {},
  },
  Files: new Map([['rules.yaml', 'groups: []\n']]),
};

/** What `helm template` printed for the same text where that is not plain. */
function render(source: string): string {
  const { nodes, definitions } = parseTemplate(source, 't');
  return evaluateTemplate(nodes, ROOT, definitions);
}

describe('templates', () => {
  it.each([
    ['a {{ .Values.name }} b', 'a box b'],
    ['a\n  {{- .Values.port -}}  \n b', 'a22b'],
    ['{{ $.Values.name }}', 'box'],
    ['{{/* nothing */}}x{{- /* no "thing" */ -}} y', 'xy'],
    ['{{ if .Values.empty }}a{{ else if .Values.off }}b{{ else }}c{{ end }}', 'c'],
    ['{{ if and .Values.name (not .Values.none) }}yes{{ end }}', 'yes'],
    ['{{ if or (eq .Values.name "x") (ne .Values.name "y") }}yes{{ end }}', 'yes'],
    ['{{ with .Values.map }}{{ .b }}{{ end }}{{ with .Values.none }}x{{ else }}y{{ end }}', '1y'],
    ['{{ range .Values.list }}[{{ . }}{{ $.Values.port }}]{{ end }}', '[a22][b22]'],
    ['{{ $x := default "d" .Values.empty }}{{ $x | quote }}', '"d"'],
    ['{{ .Values.port | quote }} {{ toString .Values.nowhere }}', '"22" '],
    ['x:{{ toYaml .Values.map | nindent 2 }}', 'x:\n  a:\n  - x\n  b: 1'],
    ['{{ define "n" -}} <{{ .Values.name }}> {{- end }}{{ include "n" . }}', '<box>'],
    ['{{ .Files.Get "rules.yaml" | indent 1 }}', ' groups: []\n '],
    ['{{ "" | sha256sum }}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['{{ "a }} b" }}', 'a }} b'],
  ])('%s prints %j', (source, printed) => {
    expect(render(source)).toBe(printed);
  });

  it.each([
    ['{{ .Values.nowhere }}', 'expected text, a number or a boolean to print, got undefined'],
    ['{{ .Values.list }}', 'expected text, a number or a boolean to print'],
    ['{{ .Values.nowhere.deep }}', 'there is no deep in undefined'],
    ['{{ upper .Values.name }}', 'the function upper is not in the subset'],
    ['{{ lookup "v1" "Secret" "a" "b" }}', 'the function lookup is not in the subset'],
    ['{{ quote }}', 'quote has 0 arguments'],
    ['{{ template "n" . }}', 'template is not in the subset'],
    ['{{ range $i, $v := .Values.list }}{{ end }}', 'did not expect'],
    ['{{ range .Values.map }}{{ end }}', 'range over anything but a list is not in the subset'],
    ['{{ with .Values.empty }}{{ else with .Values.name }}{{ end }}', 'expected else or else if'],
    ['{{ if .Values.name }}', 'expected an end'],
    ['{{ end }}', 'did not expect end'],
    ['{{ include "nowhere" . }}', 'there is no template nowhere'],
    ['{{ .Files.Get "nowhere" }}', 'there is no file nowhere'],
    ['{{ .Files.Glob "*" }}', 'expected one value'],
    ['{{ $x := 1 }}{{ $x := 2 }}', 'setting $x twice is not in the subset'],
    ['{{ $x }}', '$x is not set'],
    ['{{ .Values.name | .Values.port }}', 'expected a function after |'],
    ['{{ .Values.name', 'expected an action that ends with }}'],
    ['{{ 1.5 }}', 'expected one value'],
    ["{{ 'a' }}", "did not expect 'a'"],
    ['{{ required "name it" .Values.empty }}', 'name it'],
  ])('%s is refused: %s', (source, message) => {
    expect(() => render(source)).toThrow(message);
  });

  it('says where', () => {
    expect(() => render('a\nb\n{{ nothing . }}')).toThrow('t:3: the function nothing is not in the subset');
  });
});
