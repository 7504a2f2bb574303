package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// value is a JSON value with the semantics of jq: objects keep the order of their
// keys, and a changed key keeps its position. The zero value is null. Values are
// immutable; methods return changed copies.
type value struct {
	kind  kind
	text  string // content of a string; literal of a number or boolean
	keys  []string
	items []value // items of a list; values of an object, parallel to keys
}

type kind byte

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// Limits far above any config or manifest.
const (
	maxDepth = 32
	maxKeys  = 1000
)

// integer matches the numbers that every version of jq writes as it reads them, up
// to maxInteger.
var integer = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)

const maxInteger = 1 << 53

// parse parses a document. Constructs that programs are known to read differently
// are errors: duplicate keys, numbers that are not integers, invalid UTF-8.
func parse(raw []byte) (value, error) {
	var document json.RawMessage
	if err := json.Unmarshal(raw, &document); err != nil {
		return value{}, err
	}
	if !utf8.Valid(raw) {
		return value{}, errors.New("invalid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return parseNext(d, 0)
}

func parseNext(d *json.Decoder, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	switch t := token.(type) {
	case string:
		return str(t), nil
	case bool:
		return value{kind: boolean, text: strconv.FormatBool(t)}, nil
	case json.Number:
		n, err := t.Int64()
		if !integer.MatchString(t.String()) || err != nil || n > maxInteger || n < -maxInteger {
			return value{}, fmt.Errorf("want an integer within ±2^53, got %.40s", t)
		}
		return num(n), nil
	case json.Delim:
		return parseItems(d, t, depth+1)
	}
	return value{}, nil
}

func parseItems(d *json.Decoder, open json.Delim, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	v := value{kind: list}
	if open == '{' {
		v.kind = object
	}
	for d.More() {
		if v.kind == object {
			token, err := d.Token()
			if err != nil {
				return value{}, err
			}
			key, _ := token.(string)
			if slices.Contains(v.keys, key) {
				return value{}, fmt.Errorf("duplicate key %.40q", key)
			}
			if len(v.keys) == maxKeys {
				return value{}, fmt.Errorf("want at most %d keys in an object", maxKeys)
			}
			v.keys = append(v.keys, key)
		}
		item, err := parseNext(d, depth)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token() // the closing delimiter
	return v, err
}

// document encodes the value like jq: indented by two spaces, with a trailing
// newline, escaping only DEL and the characters that must be escaped.
func (v value) document() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, v.appendJSON(nil), "", "  "); err != nil {
		panic(err) // appendJSON writes valid JSON
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (v value) appendJSON(b []byte) []byte {
	switch v.kind {
	case null:
		return append(b, "null"...)
	case text:
		return appendString(b, v.text)
	case list:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(append(appendString(b, v.keys[i]), ':'))
		}
		return append(b, '}')
	}
	return append(b, v.text...)
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if c < ' ' || c == 0x7f {
				b = fmt.Appendf(b, `\u%04x`, c)
				continue
			}
			b = append(b, c)
		}
	}
	return append(b, '"')
}
