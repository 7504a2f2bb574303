// Package jsonlist reads and writes JSON files that hold one list, with an
// entry on each line, so that version control merges and shows them by entry:
//
//	{
//	  "schema": 1,
//	  "NAME": [
//	    ENTRY,
//	    ENTRY
//	  ]
//	}
package jsonlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const schema = 1

// Parse returns the entries of the list by their keys. Unknown fields and
// duplicate keys are errors. The error names the file and reports every entry that
// cannot be decoded or that validate rejects.
func Parse[K comparable, E any](file, list string, data []byte, key func(E) K, validate func(E) error) (map[K]E, error) {
	var content map[string]json.RawMessage
	if err := decode(data, &content); err != nil {
		return nil, fmt.Errorf("reading %q: %w", file, err)
	}
	for key := range content {
		if key != "schema" && key != list {
			return nil, fmt.Errorf("reading %q: unknown key %q", file, key)
		}
	}
	if got := string(content["schema"]); got != fmt.Sprint(schema) {
		return nil, fmt.Errorf("reading %q: schema: want %d, got %s", file, schema, got)
	}
	var entries []json.RawMessage
	if err := decode(content[list], &entries); err != nil {
		return nil, fmt.Errorf("reading %q: %s: %w", file, list, err)
	}
	byKey := map[K]E{}
	var errs []error
	for i, data := range entries {
		var e E
		err := decode(data, &e)
		if err == nil {
			err = checkEmpty(data, e)
		}
		if err == nil {
			if err = validate(e); err != nil {
				err = fmt.Errorf("%v: %w", key(e), err)
			} else if _, ok := byKey[key(e)]; ok {
				err = fmt.Errorf("duplicate key %v", key(e))
			}
			byKey[key(e)] = e
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s[%d]: %w", file, list, i, err))
		}
	}
	return byKey, errors.Join(errs...)
}

// checkEmpty rejects a key whose value is empty and that [Format] would leave out.
func checkEmpty(data []byte, e any) error {
	var got, want map[string]json.RawMessage
	formatted, err := json.Marshal(e)
	if err := errors.Join(err, json.Unmarshal(data, &got), json.Unmarshal(formatted, &want)); err != nil {
		return err
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("%s: empty value, or a key in another case", key)
		}
	}
	return nil
}

func decode(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("trailing data")
	}
	return nil
}

// Format returns the bytes of a file. It panics if an entry cannot be encoded.
func Format[E any](list string, entries []E) []byte {
	lines := make([]string, len(entries))
	for i, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		lines[i] = "\n    " + string(line)
	}
	body := strings.Join(lines, ",")
	if body != "" {
		body += "\n  "
	}
	return fmt.Appendf(nil, "{\n  \"schema\": %d,\n  %q: [%s]\n}\n", schema, list, body)
}
