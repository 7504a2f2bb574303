package deb

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Control is the control file of a package: one paragraph of fields.
type Control struct {
	Text   string // as in the package, with a newline at the end
	fields map[string]string
}

// Field returns the value of a field, without continuation lines; "" without it.
func (c Control) Field(name string) string { return c.fields[strings.ToLower(name)] }

// ParseControl parses a control file.
func ParseControl(text string) (Control, error) {
	c := Control{Text: strings.TrimRight(text, "\n") + "\n", fields: map[string]string{}}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r") {
		return Control{}, errors.New("want UTF-8 text")
	}
	n := 0
	for line := range strings.Lines(c.Text) {
		n++
		line = strings.TrimRight(line, " \t\n")
		if line != "" && (line[0] == ' ' || line[0] == '\t') && n > 1 {
			continue // continuation of a field
		}
		name, value, ok := strings.Cut(line, ":")
		key := strings.ToLower(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t") || name[0] == '-' || name[0] == '#' {
			return Control{}, fmt.Errorf("line %d: want a field, got %q", n, line)
		}
		if _, dup := c.fields[key]; dup {
			return Control{}, fmt.Errorf("line %d: duplicate field %s", n, name)
		}
		if key == "status" || key == "conffiles" {
			return Control{}, fmt.Errorf("line %d: field %s is dpkg's own", n, name)
		}
		c.fields[key] = strings.TrimSpace(value)
	}
	return c, nil
}
