package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Partial is a part of a file that is being downloaded. A killed process leaves it
// for the next one.
type Partial struct {
	// Size is the number of bytes from the beginning of the file.
	Size int64
	// Validator is the entity tag or the date of the response that the bytes come
	// from, for the header If-Range.
	Validator string

	store  Store
	dir    *os.Root
	file   *os.File
	name   string
	digest versions.Digest
	keep   bool
}

// Partial returns the part of the file with a digest that the store has, which is
// empty if another process is downloading the file. The caller must close it.
func (s Store) Partial(d versions.Digest) (*Partial, error) {
	dir, err := s.openTemp()
	if err != nil {
		return nil, err
	}
	p := &Partial{store: s, dir: dir, digest: d, name: d.String()}
	if p.file, err = openLocked(dir, p.name, os.O_CREATE); p.file == nil && (err == nil || errors.Is(err, fs.ErrPermission)) {
		p.file, p.name, err = createTemp(dir, d)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing to the store: %w", err), dir.Close())
	}
	info, err := p.file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing to the store: %w", err), p.Close())
	}
	if p.Validator = readValidator(dir, p.name); p.Validator != "" {
		p.Size, p.keep = info.Size(), true
	}
	return p, nil
}

// Put is [Store.Put] for a response. The bytes of r follow the first p.Size bytes,
// if resumed is set, and replace them otherwise. If reading fails and validator is
// not empty, the part stays in the store, to be resumed.
func (p *Partial) Put(ctx context.Context, size int64, from string, r io.Reader, resumed bool, validator string) error {
	var w io.Writer = p.file
	if resumed {
		if _, err := p.file.Seek(p.Size, io.SeekStart); err != nil {
			return fmt.Errorf("writing to the store: %w", err)
		}
		r, w = io.MultiReader(io.NewSectionReader(p.file, 0, p.Size), r), &skipWriter{p.file, p.Size}
	} else if err := p.restart(validator); err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if err := fill(ctx, w, p.digest, size, from, r); err != nil {
		var mismatch *MismatchError
		p.keep = p.keep && !errors.As(err, &mismatch)
		return err
	}
	err := p.store.commit(p.dir, p.file, p.name, p.digest)
	p.file, p.keep = nil, false
	return err
}

// restart empties the part, and records the validator of a new one.
func (p *Partial) restart(validator string) error {
	p.Size, p.keep = 0, false
	if err := errors.Join(p.file.Truncate(0), removeIfExists(p.dir, p.name+validatorSuffix)); err != nil {
		return err
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if !isValidator(validator) || p.name != p.digest.String() {
		return nil
	}
	p.keep = true
	return p.dir.WriteFile(p.name+validatorSuffix, []byte(validator), 0o600)
}

// Discard removes the part.
func (p *Partial) Discard() { p.keep = false }

// Close releases the part, and removes it unless it can be resumed.
func (p *Partial) Close() error {
	var errs []error
	if !p.keep {
		errs = append(errs, removeIfExists(p.dir, p.name+validatorSuffix))
		if p.file != nil {
			errs = append(errs, removeIfExists(p.dir, p.name))
		}
	}
	if p.file != nil {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(append(errs, p.dir.Close())...)
}

const (
	validatorSuffix = ".validator"
	maxValidator    = 256
)

// readValidator returns the validator of a part, or "" if it has none.
func readValidator(dir *os.Root, name string) string {
	info, err := dir.Lstat(name + validatorSuffix)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxValidator {
		return ""
	}
	raw, err := dir.ReadFile(name + validatorSuffix)
	if err != nil || !isValidator(string(raw)) {
		return ""
	}
	return string(raw)
}

// isValidator reports whether s can be the value of If-Range: a strong entity tag
// or a date.
func isValidator(s string) bool {
	printable := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	return s != "" && len(s) <= maxValidator && printable && !strings.HasPrefix(s, "W/")
}

// skipWriter is a writer to w that omits the first bytes, which w has already.
type skipWriter struct {
	w    io.Writer
	skip int64
}

func (s *skipWriter) Write(p []byte) (int, error) {
	skip := min(s.skip, int64(len(p)))
	s.skip -= skip
	n, err := s.w.Write(p[skip:])
	return n + int(skip), err
}
