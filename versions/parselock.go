package versions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLock is the maximum size of a lock in bytes.
const maxLock = 64 << 20

// ParseLock reads a lock. The error has the first errors found, each with file, line
// and field, and the number of the others.
func ParseLock(file string, data []byte) (*Lock, error) {
	if len(data) > maxLock {
		return nil, fmt.Errorf("reading lock %q: %d bytes, want at most %d", file, len(data), maxLock)
	}
	if l, ok := parseFormatted(file, data); ok {
		return l, nil
	}
	return parseTokens(file, data)
}

// parseTokens parses any lock.
func parseTokens(file string, data []byte) (*Lock, error) {
	p := lockParser{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), lock: NewLock()}
	err := p.parse()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("reading lock \"%s:%d\": %w", file, p.line(), err))
	}
	if err := joinFirst(p.errs); err != nil {
		return nil, err
	}
	return p.lock, nil
}

// lockParser reads JSON by tokens, because encoding/json accepts duplicate keys.
type lockParser struct {
	file string
	data []byte
	dec  *json.Decoder
	lock *Lock
	errs []error
	// newlines is the number of newlines in the first counted bytes.
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
				return fmt.Errorf("unsupported schema: want 1")
			}
			return nil
		case "files":
			files = true
			return p.entries(key, []string{"source", "version", "platform", "file", "url", "sha256", "size", "archive", "member"}, p.pin)
		case "bases":
			return p.entries(key, []string{"image", "platform", "sha256"}, p.base)
		case "packages":
			return p.entries(key, []string{"set", "platform", "name", "version", "architecture", "archive", "path", "size", "sha256"}, p.pkg)
		case "snapshots":
			return p.entries(key, []string{"suite", "archive", "time"}, p.snapshot)
		}
		return fmt.Errorf("unknown key %q; want one of bases, files, packages, schema, snapshots", key)
	})
	if err != nil {
		return err
	}
	if !schema || !files {
		return errors.New("missing key: want schema and files")
	}
	if err := p.lock.checkPackages(); err != nil {
		return err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("trailing data")
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
			return fmt.Errorf("duplicate key %q", key)
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

// entries reads a list of objects. All values are strings, except size.
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
			problem := ""
			switch {
			case !slices.Contains(known, key):
				problem = "unknown key"
			case key == "size":
				if size = int64(number); !isNumber || float64(size) != number {
					problem = "want an integer"
				}
			default:
				if raw[key] = text; !isText || text == "" {
					problem = "want a non-empty string"
				}
			}
			if problem != "" {
				p.fail(at, key, errors.New(problem))
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

// fail adds err, unless nil, as the error of a field.
func (p *lockParser) fail(at, field string, err error) {
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("%s:%d: %s.%s: %w", p.file, p.line(), at, field, err))
	}
}

// pin reads a file of the lock.
func (p *lockParser) pin(at string, raw map[string]string, size int64) {
	before := len(p.errs)
	fail := func(field string, err error) { p.fail(at, field, err) }
	pin := Pin{URL: raw["url"], Size: size}
	var err error
	pin.Source, err = parseName(raw["source"])
	fail("source", err)
	if raw["version"] != "" {
		pin.Version, err = ParseVersion(raw["version"])
		fail("version", err)
	}
	pin.Platform, err = ParsePlatform(raw["platform"])
	fail("platform", err)
	pin.File, err = parseName(raw["file"])
	fail("file", err)
	pin.SHA256, err = ParseDigest(raw["sha256"])
	fail("sha256", err)
	if pin.URL != "" && !strings.HasPrefix(pin.URL, "https://") {
		fail("url", fmt.Errorf("%q does not begin with https://", pin.URL))
	}
	if size < 0 {
		fail("size", fmt.Errorf("%d is negative", size))
	}
	if raw["archive"] != "" || raw["member"] != "" {
		pin.Archive, err = ParseDigest(raw["archive"])
		fail("archive", err)
		pin.Member, err = parseMember(raw["member"])
		fail("member", err)
	}
	if len(p.errs) > before {
		return
	}
	if _, dup := p.lock.pins[pin.FileKey]; dup {
		fail("file", fmt.Errorf("duplicate pin %s", pin.FileKey))
		return
	}
	p.lock.Set(pin)
}

// base reads a base image of the lock.
func (p *lockParser) base(at string, raw map[string]string, _ int64) {
	before := len(p.errs)
	var pin BasePin
	var err error
	pin.Image, err = ParseImageRef(raw["image"])
	p.fail(at, "image", err)
	pin.Platform, err = ParsePlatform(raw["platform"])
	p.fail(at, "platform", err)
	pin.SHA256, err = ParseDigest(raw["sha256"])
	p.fail(at, "sha256", err)
	if len(p.errs) > before {
		return
	}
	if _, dup := p.lock.bases[pin.BaseKey]; dup {
		p.fail(at, "image", fmt.Errorf("duplicate pin %s", pin.BaseKey))
		return
	}
	p.lock.SetBase(pin)
}
