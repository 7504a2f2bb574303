package deb

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// archive reads the members of an ar archive in order. A library would need random
// access, and so a second pass over the file for its sha256.
type archive struct {
	r    io.Reader
	rest *io.LimitedReader // of the current member
	pad  int64
}

const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arHeaderEnd  = "`\n"
)

func newArchive(r io.Reader) (*archive, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return nil, orInvalid(err, "not an ar archive: it begins with %q", magic)
	}
	return &archive{r: r}, nil
}

// next skips the rest of the current member and returns the name and content of the
// next one, or io.EOF.
func (a *archive) next() (string, io.Reader, error) {
	if a.rest != nil {
		_, err := io.Copy(io.Discard, a.rest)
		if err == nil && a.rest.N > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			_, err = io.CopyN(io.Discard, a.r, a.pad)
		}
		if err != nil {
			return "", nil, orInvalid(err, "incomplete member")
		}
	}
	header := make([]byte, arHeaderSize)
	if _, err := io.ReadFull(a.r, header); errors.Is(err, io.EOF) {
		return "", nil, io.EOF
	} else if err != nil {
		return "", nil, orInvalid(err, "incomplete header")
	}
	name := strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
	size, err := strconv.ParseUint(strings.TrimRight(string(header[48:58]), " "), 10, 40)
	if err != nil || string(header[58:]) != arHeaderEnd {
		return "", nil, fmt.Errorf("invalid header of member %q", name)
	}
	a.rest = &io.LimitedReader{R: a.r, N: int64(size)}
	a.pad = int64(size % 2)
	return name, a.rest, nil
}

// orInvalid returns the error of a reader, or the message if the reader has none or
// has ended too early.
func orInvalid(err error, format string, args ...any) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf(format, args...)
	}
	return err
}
