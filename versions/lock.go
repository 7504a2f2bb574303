package versions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Lock is lock.json: every pinned file, by its key.
type Lock struct {
	pins map[FileKey]Pin
}

// FileKey names a pinned file.
type FileKey struct {
	Source   string
	Version  Version // zero for a file that belongs to no Kubernetes version
	Platform Platform
	File     string
}

// String returns "kubernetes/v1.36.0/linux/amd64/kubelet".
func (k FileKey) String() string {
	parts := []string{k.Source, k.Version.String(), k.Platform.String(), k.File}
	if k.Version == (Version{}) {
		parts = append(parts[:1], parts[2:]...)
	}
	return strings.Join(parts, "/")
}

// ParseFileKey reads what [FileKey.String] writes.
func ParseFileKey(s string) (FileKey, error) {
	parts := strings.Split(s, "/")
	k := FileKey{}
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	var err error
	switch len(parts) {
	case 5:
		k.Version, err = ParseVersion(parts[1])
		check(err)
		parts = append(parts[:1], parts[2:]...)
	case 4:
	default:
		return k, fmt.Errorf("%q is not SOURCE/VERSION/OS/ARCH/FILE", s)
	}
	k.Source, err = parseName(parts[0])
	check(err)
	k.Platform, err = ParsePlatform(parts[1] + "/" + parts[2])
	check(err)
	k.File, err = parseName(parts[3])
	check(err)
	return k, errors.Join(errs...)
}

// Compare orders keys by source, version, file and platform.
func (k FileKey) Compare(l FileKey) int {
	return cmp.Or(
		cmp.Compare(k.Source, l.Source), k.Version.Compare(l.Version),
		cmp.Compare(k.File, l.File), cmp.Compare(k.Platform.String(), l.Platform.String()))
}

// Pin is what the lock says of one file.
type Pin struct {
	FileKey
	// URL is where upstream publishes the file, or the archive that has it; ""
	// for a program that is built.
	URL    string
	SHA256 Digest // of the file that enters the image
	Size   int64  // in bytes; 0: not known
	// Archive and Member are set for a member of an archive: the archive's own
	// sha256 and the path inside.
	Archive Digest
	Member  string
}

// pinJSON is a pin as lock.json has it.
type pinJSON struct {
	Source   string `json:"source"`
	Version  string `json:"version,omitempty"`
	Platform string `json:"platform"`
	File     string `json:"file"`
	URL      string `json:"url,omitempty"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size,omitempty"`
	Archive  string `json:"archive,omitempty"`
	Member   string `json:"member,omitempty"`
}

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
		return nil, nil, fmt.Errorf("reading lock \"%s:%d\": %w", file, p.line(), err)
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, nil, err
	}
	return p.lock, p.lock.warnings(), nil
}

// NewLock returns a lock without pins.
func NewLock() *Lock { return &Lock{pins: map[FileKey]Pin{}} }

// Pin returns the pin of a file.
func (l *Lock) Pin(key FileKey) (Pin, bool) {
	pin, ok := l.pins[key]
	return pin, ok
}

// Set adds a pin or replaces the one of the same key.
func (l *Lock) Set(pin Pin) { l.pins[pin.FileKey] = pin }

// Pins returns all pins, by key.
func (l *Lock) Pins() []Pin {
	pins := make([]Pin, 0, len(l.pins))
	for _, pin := range l.pins {
		pins = append(pins, pin)
	}
	slices.SortFunc(pins, func(a, b Pin) int { return a.Compare(b.FileKey) })
	return pins
}

// Find returns the pins that have the digest, by key.
func (l *Lock) Find(d Digest) []Pin {
	var found []Pin
	for _, pin := range l.Pins() {
		if pin.SHA256 == d {
			found = append(found, pin)
		}
	}
	return found
}

// Format returns the bytes of lock.json: a line a pin, by key, so that a change
// of one file is a change of one line.
func (l *Lock) Format() []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"schema\": 1,\n  \"files\": [")
	for i, pin := range l.Pins() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    ")
		line, err := json.Marshal(pinJSON{
			Source: pin.Source, Version: pin.Version.String(), Platform: pin.Platform.String(), File: pin.File,
			URL: pin.URL, SHA256: pin.SHA256.String(), Size: pin.Size, Archive: pin.Archive.String(), Member: pin.Member,
		})
		if err != nil {
			panic(err) // strings and a number: cannot fail
		}
		b.Write(line)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

func (l *Lock) warnings() []string {
	byDigest := map[Digest][]Pin{}
	for _, pin := range l.Pins() {
		byDigest[pin.SHA256] = append(byDigest[pin.SHA256], pin)
	}
	var warnings []string
	for _, pins := range byDigest {
		for _, pin := range pins[1:] {
			if pin.Version != pins[0].Version || pin.Platform != pins[0].Platform {
				warnings = append(warnings, fmt.Sprintf("%s and %s have one sha256, %s: one of the two is most likely wrong",
					pins[0].FileKey, pin.FileKey, pin.SHA256))
			}
		}
	}
	slices.Sort(warnings)
	return warnings
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
			return p.files()
		}
		return fmt.Errorf("unknown key %q; known here: files, schema", key)
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

func (p *lockParser) files() error {
	if err := p.delim('['); err != nil {
		return err
	}
	for i := 0; p.dec.More(); i++ {
		raw := map[string]string{}
		var size int64
		err := p.object(func(key string) error {
			var err error
			switch key {
			case "size":
				err = p.dec.Decode(&size)
			case "source", "version", "platform", "file", "url", "sha256", "archive", "member":
				var s string
				err = p.dec.Decode(&s)
				raw[key] = s
			default:
				return fmt.Errorf("files[%d]: unknown key %q", i, key)
			}
			if err != nil {
				return fmt.Errorf("files[%d].%s: %w", i, key, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		p.pin(fmt.Sprintf("files[%d]", i), raw, size)
	}
	return p.delim(']')
}

func (p *lockParser) pin(at string, raw map[string]string, size int64) {
	before := len(p.errs)
	fail := func(field string, err error) {
		if err != nil {
			p.errs = append(p.errs, fmt.Errorf("%s:%d: %s.%s: %w", p.file, p.line(), at, field, err))
		}
	}
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
		fail("file", fmt.Errorf("%s is pinned already", pin.FileKey))
		return
	}
	p.lock.Set(pin)
}
