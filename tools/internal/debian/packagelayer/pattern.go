package packagelayer

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// rules decide which files of packages are left out, and which are sources of added
// files.
type rules struct {
	exclude, include, from patterns
}

func newRules(l versions.PackageLayer) (r rules, err error) {
	if r.exclude, err = compilePatterns(l.Exclude); err != nil {
		return r, fmt.Errorf("exclude: %w", err)
	}
	if r.include, err = compilePatterns(l.Include); err != nil {
		return r, fmt.Errorf("include: %w", err)
	}
	var from []string
	for _, f := range l.Sets[len(l.Sets)-1].Files {
		if f.From != "" {
			from = append(from, f.From)
		}
	}
	r.from, err = compilePatterns(from)
	return r, err
}

// excluded reports whether the path is left out.
func (r rules) excluded(path string) bool { return r.exclude.match(path) && !r.include.match(path) }

type patterns []*regexp.Regexp

func (p patterns) match(path string) bool {
	for _, re := range p {
		if re.MatchString(path) {
			return true
		}
	}
	return false
}

func compilePatterns(texts []string) (patterns, error) {
	var all patterns
	for _, text := range texts {
		re, err := compilePattern(text)
		if err != nil {
			return nil, err
		}
		all = append(all, re)
	}
	return all, nil
}

// compilePattern compiles a pattern of paths, in which * matches within an element,
// and the element ** any number of elements. So /a/** matches /a and all below.
func compilePattern(text string) (*regexp.Regexp, error) {
	if !path.IsAbs(text) || path.Clean(text) != text || text == "/" {
		return nil, fmt.Errorf("pattern %q: want a clean, absolute path", text)
	}
	var b strings.Builder
	b.WriteByte('^')
	for element := range strings.SplitSeq(text[1:], "/") {
		if element == "**" {
			b.WriteString("(?:/[^/]+)*")
			continue
		}
		b.WriteString("/" + strings.ReplaceAll(regexp.QuoteMeta(element), `\*`, "[^/]*"))
	}
	return regexp.Compile(b.String() + "$")
}
