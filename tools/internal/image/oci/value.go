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

// value is a JSON value as jq has it: an object keeps the order of its keys, and
// what is changed stays in its place. The zero value is null. Values are never
// changed; what would change one returns another.
type value struct {
	kind  kind
	text  string // a string's characters; a number's or a boolean's, as written
	keys  []string
	items []value // of a list; of an object, by key
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

// What is far above any config or manifest.
const (
	maxDepth = 32
	maxKeys  = 1000
)

// wholeNumber are the numbers that every version of jq writes as it has read
// them, if they are not beyond maxWhole.
var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)

const maxWhole = 1 << 53

// parse reads a document. Whatever programs are known to read in different ways
// is an error: keys that stand twice, numbers that are not whole, bytes that are
// no UTF-8.
func parse(raw []byte) (value, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		return value{}, err
	}
	if !utf8.Valid(raw) {
		return value{}, errors.New("it is not UTF-8")
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
		if !wholeNumber.MatchString(t.String()) || err != nil || n > maxWhole || n < -maxWhole {
			return value{}, fmt.Errorf("the number %.40s is not a whole one within ±2^53", t)
		}
		return num(n), nil
	case json.Delim:
		return parseItems(d, t, depth+1)
	}
	return value{}, nil
}

func parseItems(d *json.Decoder, open json.Delim, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, fmt.Errorf("it nests deeper than %d", maxDepth)
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
				return value{}, fmt.Errorf("the key %.40q stands twice", key)
			}
			if len(v.keys) == maxKeys {
				return value{}, fmt.Errorf("an object has more than %d keys", maxKeys)
			}
			v.keys = append(v.keys, key)
		}
		item, err := parseNext(d, depth)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token() // the end of it
	return v, err
}

// document writes the value as jq does: two spaces, a newline at the end, and
// of characters only those escaped that have to be, and DEL.
func (v value) document() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, v.append(nil), "", "  "); err != nil {
		panic(err) // append writes JSON
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (v value) append(b []byte) []byte {
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
			b = item.append(b)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(append(appendString(b, v.keys[i]), ':'))
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
