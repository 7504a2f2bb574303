// Package source reads where a program is to come from.
//
// A source is written in one of these ways, each with "#sha256=" and the sum of
// the program behind it, where it says so:
//
//	""                                  out of this image
//	keep:                               it must be there already
//	/path, ./path, ../path              a file
//	https://host/path                   a download; sum required
//	image:host/repository@sha256:…!/path  a file in an image
//	image:host/repository:tag!/path       the same; sum required
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

// Kind is a way to get a program.
type Kind int

// The kinds of sources.
const (
	Own   Kind = iota // out of this image, found by its name
	Keep              // it is there already
	File              // a path
	Web               // an URL
	Image             // a path in an image of a registry
)

// Source says where a program comes from. It is made by [Parse] alone.
type Source struct {
	Kind Kind
	Path string         // of File, as given; of Image, absolute and clean
	URL  string         // of Web, without the sum
	Ref  name.Reference // of Image
	Sum  *checksum.Sum  // of the program; nil where none was given
	text string
}

// String is the source as it was given, without the sum, and without the query
// of an URL, in which tokens travel.
func (s Source) String() string { return s.text }

const sumMark = "#sha256="

// Parse reads a source.
func Parse(text string) (Source, error) {
	s, err := parse(text)
	if err != nil {
		return Source{}, fmt.Errorf("reading source %q: %w", shown(text), err)
	}
	return s, nil
}

// shown is what may be printed of a source that is wrong: no query, no user.
func shown(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return user.ReplaceAllString(text, "//…@")
}

var user = regexp.MustCompile(`//[^/]*@`)

func parse(text string) (Source, error) {
	var s Source
	rest, hex, marked := strings.Cut(text, sumMark)
	s.text = rest
	if marked {
		sum, err := checksum.Parse(hex)
		if err != nil {
			return Source{}, err
		}
		s.Sum = &sum
	}
	if strings.ContainsRune(rest, 0) {
		return Source{}, errors.New("it has a zero byte")
	}
	scheme, after, hasScheme := strings.Cut(rest, ":")
	switch {
	case rest == "":
		s.Kind = Own
		return s, nil
	case strings.HasPrefix(rest, "/"), strings.HasPrefix(rest, "./"), strings.HasPrefix(rest, "../"):
		s.Kind, s.Path = File, rest
		return s, nil
	case hasScheme && scheme == "keep":
		if after != "" {
			return Source{}, fmt.Errorf("want nothing but a sum after keep:, got %q", after)
		}
		s.Kind = Keep
		return s, nil
	case hasScheme && scheme == "image":
		return s.image(after)
	case strings.HasPrefix(rest, "https://"), strings.HasPrefix(rest, "http://"):
		return s.web(rest)
	}
	return Source{}, errors.New("want nothing, keep:, a path with a / in front, https://… or image:…")
}

func (s Source) web(text string) (Source, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Source{}, errors.Unwrap(err)
	case u.Hostname() == "":
		return Source{}, errors.New("the URL has no host")
	case u.User != nil:
		return Source{}, errors.New("the URL has a user; a command line is no place for passwords")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return Source{}, errors.New("want #sha256= and 64 digits behind the URL, got another fragment")
	case !Allowed(u):
		return Source{}, errors.New("want https; plain http is for this machine alone")
	case s.Sum == nil:
		return Source{}, errors.New("want #sha256= and the sum of the program behind it: nothing is trusted without")
	}
	s.Kind, s.URL = Web, text
	s.text, _, _ = strings.Cut(text, "?")
	return s, nil
}

// Allowed tells whether a URL may be asked: what goes over a network goes by
// https.
func Allowed(u *url.URL) bool {
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
		return Source{}, errors.New("want image:REFERENCE!/PATH, with the path of the program in the image")
	}
	if file != path.Clean(file) || file == "/" || strings.Contains(file, "/.wh.") {
		return Source{}, fmt.Errorf("%q is not the path of a file in an image", file)
	}
	var err error
	// Of a name without a registry, clients make one on a public registry.
	if s.Ref, err = name.ParseReference(ref, name.StrictValidation); err != nil {
		return Source{}, fmt.Errorf("want REGISTRY/REPOSITORY with @sha256:… or :TAG: %w", err)
	}
	if _, byDigest := s.Ref.(name.Digest); !byDigest && s.Sum == nil {
		return Source{}, errors.New("a tag can be moved: want @sha256:… in its place, or #sha256= and the sum of the program")
	}
	s.Kind, s.Path = Image, file
	return s, nil
}
