package imagevector

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// errNoDocument is the error of a text without any value.
var errNoDocument = errors.New("no document")

// A syntaxError is the error of a text that is no YAML.
type syntaxError struct {
	line, column int // from 1; a column of 0 is not known
	text         string
}

func (e *syntaxError) Error() string { return e.text }

var yamlLine = regexp.MustCompile(`^line ([0-9]+): (.*)$`)

// syntaxErrorOf finds out where the parser gave up. It knows, but tells no
// column, and of many faults the line where what surrounds them begins; so it is
// asked by reflection. Should it ever be built otherwise, what it tells must do.
func syntaxErrorOf(d *yaml.Decoder, data []byte, err error) *syntaxError {
	e := &syntaxError{line: 1, text: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(e.text); m != nil {
		e.line, _ = strconv.Atoi(m[1])
		e.text = m[2]
	}
	parser := inside(reflect.ValueOf(d), "parser")
	state := inside(parser, "parser")
	if offset := inside(state, "problem_offset"); offset.CanInt() && offset.Int() > 0 { // what is there is no character
		at := positionOf(data[:min(int(offset.Int()), len(data))])
		e.line, e.column = at.line, at.column
		return e
	}
	context := inside(state, "context").String()
	if strings.HasPrefix(e.text, "unknown anchor") {
		e.at(inside(inside(parser, "event"), "start_mark"))
		return e
	}
	e.at(inside(state, "problem_mark"))
	end := positionOf(bytes.TrimRight(data, " \t\r\n"))
	if context != "" && e.line > end.line || strings.HasSuffix(e.text, "end of stream") || context == "while scanning a simple key" {
		e.at(inside(state, "context_mark")) // where what never ends begins
	}
	if e.line > end.line {
		e.line, e.column = end.line, end.column
	}
	if strings.HasPrefix(context, "while ") {
		e.text += " " + context
	}
	return e
}

// positionOf returns the position right after a text.
func positionOf(before []byte) (p struct{ line, column int }) {
	p.line = bytes.Count(before, []byte("\n")) + 1
	p.column = utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return p
}

// at takes the position of a mark of the parser, if it is one.
func (e *syntaxError) at(mark reflect.Value) {
	line, column := inside(mark, "line"), inside(mark, "column")
	if line.CanInt() && column.CanInt() {
		e.line, e.column = int(line.Int())+1, int(column.Int())+1
	}
}

// inside returns a field of a struct, or of what a pointer leads to; the zero
// Value if there is none.
func inside(v reflect.Value, name string) reflect.Value {
	if v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}
