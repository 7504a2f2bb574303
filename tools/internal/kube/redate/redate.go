// Package redate computes the sha256 that a Go program would have if it were
// linked with other dates, without linking it. A date of the same length moves
// nothing in the program. It changes its own bytes, the build ID, which has hashes
// of the inputs of compiler and linker and of the linked file, and the GNU build
// ID, which is derived from the build ID.
package redate

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// Layout is the format of dates, always 20 characters.
const Layout = "2006-01-02T15:04:05Z"

// Program is a program that was linked with placeholders for dates.
type Program struct {
	inputs  Inputs
	dates   []string // the placeholders
	depends []bool   // whether the program depends on each
	id      buildID
	content hashState              // of the content hash
	file    hashState              // of the file
	gnu     func(id string) []byte // nil without a GNU build ID
}

// buildID has the four hashes of a build ID.
type buildID struct{ link, action, main, content string }

func (b buildID) String() string {
	return strings.Join([]string{b.link, b.action, b.main, b.content}, "/")
}

// linkInput returns the build ID that the linker gets. The content hash is not
// known then.
func (b buildID) linkInput() string {
	b.content = b.link
	return b.String()
}

// patchSite is a range of the file whose bytes depend on the dates.
type patchSite struct {
	offset, size int
	kind         kind
}

// kind is buildIDSite, gnuSite, or the index of a date.
type kind int

const (
	buildIDSite kind = -1 - iota
	gnuSite
)

// hashState is the state of hashing a file up to its first patch site.
type hashState struct {
	data   []byte
	sites  []patchSite // that are left
	prefix hash.Cloner // state after offset bytes
	offset int
}

// New prepares a program. It fails if the sum of the program itself cannot be
// recomputed, so an unknown kind of linker is an error and not a wrong sum. The
// placeholders must not occur in the program by chance.
func New(file []byte, inputs Inputs, placeholders ...string) (*Program, error) {
	id, gnu, err := readNotes(file)
	if err != nil {
		return nil, fmt.Errorf("reading the program's build IDs: %w", err)
	}
	p := &Program{inputs: inputs, dates: placeholders, id: id}
	sites := append(gnu, find(file, id.String(), buildIDSite)...)
	for i, date := range placeholders {
		if len(date) != len(Layout) {
			return nil, fmt.Errorf("invalid date %q, want the format %q", date, Layout)
		}
		dateSites := find(file, date, kind(i))
		// In a program that does not print its version, the build date affects only
		// the build ID.
		p.depends = append(p.depends, len(dateSites) > 0 ||
			bytes.Contains(inputs.Link, []byte(date)) || bytes.Contains(inputs.Compile, []byte(date)))
		sites = append(sites, dateSites...)
	}
	p.file = newHashState(file, sites)
	// The content hash has zeros in place of both IDs, so everything before the
	// first date is hashed once.
	if p.content, err = p.file.skipIDs(); err != nil {
		return nil, err
	}
	if len(gnu) > 0 {
		if p.gnu, err = gnuBuildID(file[gnu[0].offset:][:gnu[0].size], id); err != nil {
			return nil, err
		}
	}
	return p, p.selfTest(sha256.Sum256(file))
}

// Depends reports whether the program depends on the date of a placeholder.
func (p *Program) Depends(placeholder int) bool { return p.depends[placeholder] }

// selfTest recomputes the sum of the program itself.
func (p *Program) selfTest(want [sha256.Size]byte) error {
	action, link := p.actions(p.dates)
	if action != p.id.action || link != p.id.link {
		return fmt.Errorf("recomputing the build ID %q: got %q and %q for its first two parts", p.id, link, action)
	}
	if got := p.Sum(p.dates...); got != want {
		return fmt.Errorf("recomputing the program: want sha256 %x, got %x", want, got)
	}
	return nil
}

// Sum returns the sha256 of the program with dates, formatted as [Layout], in place
// of the placeholders. It is safe for concurrent use.
func (p *Program) Sum(dates ...string) [sha256.Size]byte {
	values := map[kind][]byte{buildIDSite: zeros[:], gnuSite: zeros[:]}
	for i, date := range dates {
		values[kind(i)] = []byte(date)
	}
	id := p.id
	id.action, id.link = p.actions(dates)
	id.content = idOf(p.content.sum(values))
	values[buildIDSite] = []byte(id.String())
	if p.gnu != nil {
		values[gnuSite] = p.gnu(id.linkInput())
	}
	return p.file.sum(values)
}

// actions returns the hashes of the inputs of the compiler, for package main, and
// of the linker. The former is part of the latter.
func (p *Program) actions(dates []string) (action, link string) {
	var pairs []string
	for i, placeholder := range p.dates {
		pairs = append(pairs, placeholder, dates[i])
	}
	action = idOf(sha256.Sum256(replace(p.inputs.Compile, pairs)))
	pairs = append(pairs, p.id.action+"/"+p.id.main, action+"/"+p.id.main)
	return action, idOf(sha256.Sum256(replace(p.inputs.Link, pairs)))
}

func replace(input []byte, pairs []string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(string(input)))
}

// idOf encodes a hash as in build IDs.
func idOf(h [sha256.Size]byte) string { return base64.URLEncoding.EncodeToString(h[:15]) }

// find returns the sites of text in the file.
func find(file []byte, text string, k kind) []patchSite {
	var sites []patchSite
	for offset := 0; ; {
		i := bytes.Index(file[offset:], []byte(text))
		if i < 0 {
			return sites
		}
		sites = append(sites, patchSite{offset + i, len(text), k})
		offset += i + len(text)
	}
}

// zeros is at least as long as a site.
var zeros [128]byte

func newHashState(data []byte, sites []patchSite) hashState {
	slices.SortFunc(sites, func(a, b patchSite) int { return a.offset - b.offset })
	return hashState{data: data, sites: sites, prefix: sha256.New().(hash.Cloner)}
}

// skipIDs returns the state after the sites before the first date, with zeros in
// them.
func (s hashState) skipIDs() (hashState, error) {
	prefix, err := s.prefix.Clone()
	if err != nil {
		return hashState{}, err
	}
	for len(s.sites) > 0 {
		site := s.sites[0]
		prefix.Write(s.data[s.offset:site.offset])
		s.offset = site.offset
		if site.kind >= 0 {
			break
		}
		prefix.Write(zeros[:site.size])
		s.sites, s.offset = s.sites[1:], site.offset+site.size
	}
	s.prefix = prefix
	return s, nil
}

// sum returns the hash of the file with values in its sites.
func (s hashState) sum(values map[kind][]byte) [sha256.Size]byte {
	h, err := s.prefix.Clone()
	if err != nil {
		panic(err) // it was cloned before
	}
	offset := s.offset
	for _, site := range s.sites {
		h.Write(s.data[offset:site.offset])
		h.Write(values[site.kind][:site.size])
		offset = site.offset + site.size
	}
	h.Write(s.data[offset:])
	return [sha256.Size]byte(h.Sum(nil))
}
