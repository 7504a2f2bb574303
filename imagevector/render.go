package imagevector

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Render returns sources as a YAML file. The output is deterministic, and strict
// reading returns the same sources if they are valid. The comment, if any, is at the
// top.
func Render(comment string, sources []Source, ca *CABundle) []byte {
	var b bytes.Buffer
	if comment != "" {
		for line := range strings.Lines(strings.TrimSuffix(comment, "\n") + "\n") {
			// Control characters may end the line for some parsers.
			line = strings.Map(func(r rune) rune {
				if unicode.IsPrint(r) {
					return r
				}
				return ' '
			}, line)
			b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
		}
	}
	b.WriteString("images:")
	if len(sources) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for i := range sources {
		b.WriteString(RenderSource(sources[i]))
	}
	if ca != nil && ca.Inline != nil {
		b.WriteString("caBundle:\n  inline: " + block(*ca.Inline) + "\n")
	}
	return b.Bytes()
}

// RenderSource returns an entry as an item of a YAML list.
func RenderSource(s Source) string {
	var b strings.Builder
	b.WriteString("- name: " + plainOrQuoted(s.Name) + "\n")
	field := func(name string, value *string, format func(string) string) {
		if value != nil {
			b.WriteString("  " + name + ": " + format(*value) + "\n")
		}
	}
	field("ref", s.Ref, plainOrQuoted)
	field("repository", s.Repository, plainOrQuoted)
	field("tag", s.Tag, quote)
	field("version", s.Version, quote)
	field("runtimeVersion", s.RuntimeVersion, quote)
	field("targetVersion", s.TargetVersion, quote)
	if s.Architectures != nil {
		names := make([]string, len(s.Architectures))
		for i, name := range s.Architectures {
			if names[i] = name; bit(name) == 0 {
				names[i] = quote(name)
			}
		}
		b.WriteString("  architectures: [" + strings.Join(names, ", ") + "]\n")
	}
	return b.String()
}

// block returns a text as a literal block if all of its lines are printable, not
// empty, and without surrounding space; otherwise in double quotes.
func block(text string) string {
	if !strings.HasSuffix(text, "\n") {
		return quote(text)
	}
	out := "|"
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.TrimSpace(line) != line || quote(line) != `"`+line+`"` {
			return quote(text)
		}
		out += "\n    " + line
	}
	return out
}

// plainOrQuoted returns a plain scalar if the text has only letters, digits and safe
// punctuation, and is not a number or boolean; otherwise a double-quoted one.
func plainOrQuoted(text string) string {
	if mayNotBeString(text) || !plain.MatchString(text) {
		return quote(text)
	}
	return text
}

var plain = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9._/@:-]*[A-Za-z0-9._/@-])?$`)

// quote returns a double-quoted scalar in ASCII. The escapes of Go are valid in YAML,
// except those of invalid UTF-8, which is replaced.
func quote(text string) string { return strconv.QuoteToASCII(string([]rune(text))) }
