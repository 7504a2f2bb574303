// Package yamljson converts YAML to JSON as Kubernetes programs do with
// sigs.k8s.io/yaml: it decodes YAML 1.1, converts keys to strings, and converts
// numbers and booleans to strings where the target type is a string. Error texts are
// the same.
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

// A Schema is the expected type of a value; nil is any type.
type Schema struct {
	text   bool
	item   *Schema            // of a list
	fields map[string]*Schema // of an object
}

// Text returns the schema of a string.
func Text() *Schema { return &Schema{text: true} }

// List returns the schema of a list.
func List(item *Schema) *Schema { return &Schema{item: item} }

// Object returns the schema of an object with these fields. Other fields are of any
// type.
func Object(fields map[string]*Schema) *Schema { return &Schema{fields: fields} }

// field returns the schema of a field. An exact name has precedence over one that
// differs in case.
func (s *Schema) field(name string) *Schema {
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

// ErrTooLarge reports a text that exceeds the limits with its aliases expanded.
var ErrTooLarge = errors.New("too much data with aliases expanded")

// Limits limit the output of Convert.
type Limits struct {
	Values int // mappings, lists and scalars
	Bytes  int // of text in them
}

// Convert returns the first document of a YAML text as JSON.
func Convert(data []byte, want *Schema, limits Limits) (out []byte, err error) {
	defer func() {
		// The parser panics on some texts.
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: parsing: %v", r)
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

func (c *converter) convert(value any, want *Schema) (any, error) {
	switch value := value.(type) {
	case map[any]any:
		return c.object(value, want)
	case []any:
		if err := c.spend(0); err != nil {
			return nil, err
		}
		var item *Schema
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

func (c *converter) object(value map[any]any, want *Schema) (any, error) {
	// Sorted, so that the error is deterministic.
	type field struct{ key, value any } // a lookup in value would not find the key NaN
	names := make(map[string]field, len(value))
	var errs []string
	for key, item := range value {
		name, ok := asName(key)
		if !ok {
			if err := c.measure(item); err != nil {
				return nil, err
			}
			errs = append(errs, fmt.Sprintf("unsupported map key of type: %s, key: %+#v, value: %+#v", reflect.TypeOf(key), key, item))
			continue
		}
		if err := c.spend(len(name)); err != nil {
			return nil, err
		}
		// The keys 1 and "1" have the same name. The choice between them is arbitrary,
		// but deterministic.
		if other, ok := names[name]; !ok || fmt.Sprintf("%T", other.key) < fmt.Sprintf("%T", key) {
			names[name] = field{key, item}
		}
	}
	if len(errs) > 0 {
		return nil, errors.New(slices.Min(errs))
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

// measure applies the limits to a value that is not converted.
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

// asName converts a key to a string; ok is false if it has no JSON equivalent.
func asName(key any) (_ string, ok bool) {
	switch key := key.(type) {
	case string:
		return key, true
	case uint64: // only as a value
		return "", false
	}
	name, ok := asText(key)
	switch name {
	case "+Inf":
		name = ".inf"
	case "-Inf":
		name = "-.inf"
	case "NaN":
		name = ".nan"
	}
	return name, ok
}

// asText converts a number or boolean to a string; ok is false for other values.
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

// formatFloat formats with 32-bit precision, as Kubernetes does: 1.20 becomes 1.2, and
// 16777217.5 loses digits.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 32) }

// Scalar returns the value of an unquoted YAML scalar where a string is expected. ok
// is false for null.
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
