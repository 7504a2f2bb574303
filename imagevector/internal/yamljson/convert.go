// Package yamljson turns YAML into JSON the way Kubernetes programs do: YAML 1.1
// is read into values, values are made fit for JSON, and numbers and booleans
// become text where the reader wants text. Errors read as theirs do.
package yamljson

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v2"
)

// A Shape is what the reader of a value wants there; nil is anything.
type Shape struct {
	text   bool
	item   *Shape            // of a list
	fields map[string]*Shape // of an object
}

// Text wants a string.
func Text() *Shape { return &Shape{text: true} }

// List wants a list of items.
func List(item *Shape) *Shape { return &Shape{item: item} }

// Object wants an object with these fields; other fields are anything.
func Object(fields map[string]*Shape) *Shape { return &Shape{fields: fields} }

// field returns the shape of a field, whose name counts in any case if in no other.
func (s *Shape) field(name string) *Shape {
	if s == nil || s.fields == nil {
		return nil
	}
	if f, ok := s.fields[name]; ok {
		return f
	}
	for known, f := range s.fields {
		if strings.EqualFold(known, name) {
			return f
		}
	}
	return nil
}

// ErrTooLarge is the error of a text whose values are more than allowed, once
// its aliases are expanded.
var ErrTooLarge = errors.New("too much data once aliases are expanded")

// Limits bound what Convert makes of a text.
type Limits struct {
	Values int // mappings, lists and scalars
	Bytes  int // of text in them
}

// Convert returns the first document of a YAML text as JSON.
func Convert(data []byte, want *Shape, limits Limits) (out []byte, err error) {
	defer func() {
		// The parser panics at few texts that nobody writes; none of them is worth
		// a crash.
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: reading the text: %v", r)
		}
	}()
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return nil, err
	}
	c := converter{limits}
	value, err = c.convert(value, want)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

type converter struct{ left Limits }

func (c *converter) spend(bytes int) error {
	c.left.Values--
	c.left.Bytes -= bytes
	if c.left.Values < 0 || c.left.Bytes < 0 {
		return ErrTooLarge
	}
	return nil
}

func (c *converter) convert(value any, want *Shape) (any, error) {
	switch value := value.(type) {
	case map[any]any:
		return c.object(value, want)
	case []any:
		if err := c.spend(0); err != nil {
			return nil, err
		}
		var item *Shape
		if want != nil {
			item = want.item
		}
		list := make([]any, len(value))
		for i := range value {
			var err error
			if list[i], err = c.convert(value[i], item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case string:
		return value, c.spend(len(value))
	}
	if want != nil && want.text {
		if text, ok := asText(value); ok {
			value = text
		}
	}
	return value, c.spend(0)
}

func (c *converter) object(value map[any]any, want *Shape) (any, error) {
	// In order, so that of several faults the same one is always told.
	type field struct{ key, value any } // NaN is a key that no look-up finds
	names := make(map[string]field, len(value))
	var faults []string
	for key, item := range value {
		name, ok := asName(key)
		if !ok {
			if err := c.measure(item); err != nil {
				return nil, err
			}
			faults = append(faults, fmt.Sprintf("unsupported map key of type: %s, key: %+#v, value: %+#v", reflect.TypeOf(key), key, item))
			continue
		}
		if err := c.spend(len(name)); err != nil {
			return nil, err
		}
		// 1 and "1" are two keys, but one name; which of them counts is left open.
		if other, ok := names[name]; !ok || fmt.Sprintf("%T", other.key) < fmt.Sprintf("%T", key) {
			names[name] = field{key, item}
		}
	}
	if len(faults) > 0 {
		return nil, errors.New(slices.Min(faults))
	}
	object := make(map[string]any, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var err error
		if object[name], err = c.convert(names[name].value, want.field(name)); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// measure spends what a value would cost.
func (c *converter) measure(value any) error {
	err := c.spend(0)
	switch value := value.(type) {
	case string:
		err = c.spend(len(value))
	case []any:
		for i := 0; i < len(value) && err == nil; i++ {
			err = c.measure(value[i])
		}
	case map[any]any:
		for key, item := range value {
			if err = c.measure(key); err == nil {
				err = c.measure(item)
			}
			if err != nil {
				break
			}
		}
	}
	return err
}

// asName turns a key into a name; ok is false for a key that JSON cannot have.
func asName(key any) (_ string, ok bool) {
	if f, isFloat := key.(float64); isFloat {
		switch name := formatFloat(f); name {
		case "+Inf":
			return ".inf", true
		case "-Inf":
			return "-.inf", true
		case "NaN":
			return ".nan", true
		default:
			return name, true
		}
	}
	switch key := key.(type) {
	case string:
		return key, true
	case uint64: // only as a value
		return "", false
	default:
		return asText(key)
	}
}

// asText turns a number or a boolean into text, as far as it is one.
func asText(value any) (_ string, ok bool) {
	switch value := value.(type) {
	case int:
		return strconv.Itoa(value), true
	case int64:
		return strconv.FormatInt(value, 10), true
	case uint64:
		return strconv.FormatUint(value, 10), true
	case float64:
		return formatFloat(value), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}

// formatFloat writes with the digits of 32 bits, so 1.20 loses its zero and
// 16777217.5 its end.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 32) }

// Scalar returns how an unquoted YAML scalar is read where text is wanted. ok is
// false if it is no text at all but null.
func Scalar(text string) (_ string, ok bool) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return text, true
	}
	if read, isText := value.(string); isText {
		return read, true
	}
	return asText(value)
}
