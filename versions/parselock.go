package versions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxLock bounds the lock's size in bytes.
const maxLock = 64 << 20

// ParseLock reads a lock. The error names every fault with file, line and
// field; then there is no lock. The warnings tell of hashes that stand under
// two versions or two architectures, which is how errors of hand were found
// elsewhere: one of the two is most likely wrong.
func ParseLock(file string, data []byte) (*Lock, []string, error) {
	p := lockParser{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), lock: NewLock()}
	if len(data) > maxLock {
		return nil, nil, fmt.Errorf("reading lock %q: %d bytes, more than the %d allowed", file, len(data), maxLock)
	}
	err := p.parse()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends in the middle")
	}
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("reading lock \"%s:%d\": %w", file, p.line(), err))
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, nil, err
	}
	return p.lock, p.lock.warnings(), nil
}

// lockParser reads JSON token by token where the standard decoder would take a
// duplicate key in silence.
type lockParser struct {
	file string
	data []byte
	dec  *json.Decoder
	lock *Lock
	errs []error
	// counted and newlines remember how far lines have been counted.
	counted  int64
	newlines int
}

func (p *lockParser) line() int {
	end := min(p.dec.InputOffset(), int64(len(p.data)))
	p.newlines += bytes.Count(p.data[p.counted:end], []byte("\n"))
	p.counted = end
	return p.newlines + 1
}

func (p *lockParser) parse() error {
	schema, files := false, false
	err := p.object(func(key string) error {
		switch key {
		case "schema":
			var n int
			schema = true
			if err := p.dec.Decode(&n); err != nil || n != 1 {
				return fmt.Errorf("schema: want 1, the only one that this program knows")
			}
			return nil
		case "files":
			files = true
			return p.entries(key, []string{"source", "version", "platform", "file", "url", "sha256", "size", "archive", "member"}, p.pin)
		case "bases":
			return p.entries(key, []string{"image", "platform", "sha256"}, p.base)
		}
		return fmt.Errorf("unknown key %q; known here: bases, files, schema", key)
	})
	if err != nil {
		return err
	}
	if !schema || !files {
		return errors.New("want the keys schema and files")
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows after the end")
	}
	return nil
}

func (p *lockParser) object(each func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			return fmt.Errorf("key %q stands twice", key)
		}
		seen[key] = true
		if err := each(key); err != nil {
			return err
		}
	}
	return p.delim('}')
}

func (p *lockParser) delim(want json.Delim) error {
	token, err := p.dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("want %q, got %v", want, token)
	}
	return nil
}

// entries reads a list of objects whose values are strings, but for size.
func (p *lockParser) entries(list string, known []string, each func(at string, raw map[string]string, size int64)) error {
	if err := p.delim('['); err != nil {
		return err
	}
	for i := 0; p.dec.More(); i++ {
		at := fmt.Sprintf("%s[%d]", list, i)
		raw := map[string]string{}
		var size int64
		err := p.object(func(key string) error {
			var value any
			if err := p.dec.Decode(&value); err != nil {
				return err
			}
			text, isText := value.(string)
			number, isNumber := value.(float64)
			fault := ""
			switch {
			case !slices.Contains(known, key):
				fault = "unknown key"
			case key == "size":
				if size = int64(number); !isNumber || float64(size) != number {
					fault = "want a whole number"
				}
			default:
				if raw[key] = text; !isText || text == "" {
					fault = "want a string that is not empty"
				}
			}
			if fault != "" {
				p.fail(at, key, errors.New(fault))
			}
			return nil
		})
		if err != nil {
			return err
		}
		each(at, raw, size)
	}
	return p.delim(']')
}

// fail remembers a fault of one field, if there is one.
func (p *lockParser) fail(at, field string, err error) {
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("%s:%d: %s.%s: %w", p.file, p.line(), at, field, err))
	}
}
