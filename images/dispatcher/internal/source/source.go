// Package source parses the source of a program.
//
// A source has one of these forms. Each may end in "#sha256=" and the sum of the
// program; where noted, it must:
//
//	""                                    the program in this image
//	keep:                                 the installed program
//	/path, ./path, ../path                a file
//	https://host/path                     a download; sum required
//	image:host/repository@sha256:…!/path  a file in an image
//	image:host/repository:tag!/path       a file in an image; sum required
package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// Kind is the kind of a source.
type Kind int

// Kinds of sources.
const (
	ThisImage Kind = iota // a program in this image
	Keep                  // the installed program
	File                  // a file
	Download              // a URL
	Image                 // a file in an image of a registry
)

// Source is the source of a program. Only [Parse] makes one.
type Source struct {
	Kind Kind
	Path string         // of File, as given; of Image, absolute and clean
	URL  string         // of Download, without the sum
	Ref  name.Reference // of Image
	Sum  *checksum.Sum  // of the program; nil if none was given
	text string
}

// String returns the source as it was given, without the sum, and without the
// query of a URL, which may have a token.
func (s Source) String() string { return s.text }

const sumPrefix = "#sha256="

// Parse parses a source.
func Parse(text string) (Source, error) {
	s, err := parse(text)
	if err != nil {
		return Source{}, fmt.Errorf("parsing source %q: %w", redact(text), err)
	}
	return s, nil
}

// redact removes the query and the user of a URL, which may have secrets, from an
// invalid source.
func redact(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return userinfo.ReplaceAllString(text, "//…@")
}

var userinfo = regexp.MustCompile(`//[^/]*@`)

func parse(text string) (Source, error) {
	var s Source
	rest, hex, marked := strings.Cut(text, sumPrefix)
	s.text = rest
	if marked {
		sum, err := checksum.Parse(hex)
		if err != nil {
			return Source{}, err
		}
		s.Sum = &sum
	}
	if strings.ContainsRune(rest, 0) {
		return Source{}, errors.New("NUL byte in source")
	}
	scheme, after, hasScheme := strings.Cut(rest, ":")
	switch {
	case rest == "":
		s.Kind = ThisImage
		return s, nil
	case strings.HasPrefix(rest, "/"), strings.HasPrefix(rest, "./"), strings.HasPrefix(rest, "../"):
		s.Kind, s.Path = File, rest
		return s, nil
	case hasScheme && scheme == "keep":
		if after != "" {
			return Source{}, fmt.Errorf("unexpected text after keep: %q", after)
		}
		s.Kind = Keep
		return s, nil
	case hasScheme && scheme == "image":
		return s.image(after)
	case strings.HasPrefix(rest, "https://"), strings.HasPrefix(rest, "http://"):
		return s.download(rest)
	}
	return Source{}, errors.New("unknown form: want no source, keep:, a path that begins with / or ./, https://… or image:…")
}

func (s Source) download(text string) (Source, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Source{}, errors.Unwrap(err)
	case u.Hostname() == "":
		return Source{}, errors.New("missing host in URL")
	case u.User != nil:
		return Source{}, errors.New("user or password in URL: command lines are visible to other processes")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return Source{}, errors.New("unexpected fragment in URL: want #sha256= and 64 digits")
	case !IsSecure(u):
		return Source{}, errors.New("want https: http is allowed for localhost only")
	case s.Sum == nil:
		return Source{}, errors.New("missing sum: add #sha256= and the sum of the program")
	}
	s.Kind, s.URL = Download, text
	s.text, _, _ = strings.Cut(text, "?")
	return s, nil
}

// IsSecure reports whether u uses https, or http on the loopback interface.
func IsSecure(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	}
	return false
}

func (s Source) image(text string) (Source, error) {
	ref, file, ok := strings.Cut(text, "!")
	if !ok || !strings.HasPrefix(file, "/") {
		return Source{}, errors.New("missing path in image: want image:REFERENCE!/PATH")
	}
	if file != path.Clean(file) || file == "/" || strings.Contains(file, "/.wh.") {
		return Source{}, fmt.Errorf("%q is not the path of a file in an image", file)
	}
	var err error
	// A name without a registry would be one on Docker Hub.
	if s.Ref, err = name.ParseReference(ref, name.StrictValidation); err != nil {
		return Source{}, fmt.Errorf("want REGISTRY/REPOSITORY@sha256:… or REGISTRY/REPOSITORY:TAG: %w", err)
	}
	if _, byDigest := s.Ref.(name.Digest); !byDigest && s.Sum == nil {
		return Source{}, errors.New("tags are mutable: use @sha256:…, or add #sha256= and the sum of the program")
	}
	s.Kind, s.Path = Image, file
	return s, nil
}
