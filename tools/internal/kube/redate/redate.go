// Package redate tells what a Go program would be if it were linked with other
// dates (of its build, of its commit), without linking it. A date of the same
// length moves nothing in the program: it changes its own bytes, the build ID,
// which is made of hashes over what the link was asked to do and over the
// result, and the GNU build ID that follows from the former.
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

// Layout is how dates are written: 20 characters, whatever the date.
const Layout = "2006-01-02T15:04:05Z"

// Program is a program that was built with placeholders for dates.
type Program struct {
	inputs  Inputs
	dates   []string // the placeholders
	depends []bool   // whether each makes a difference
	id      buildID
	content pass // the file as the content hash sees it
	file    pass
	gnu     func(id string) []byte // nil without a GNU build ID
}

// buildID is the four hashes of a program's build ID.
type buildID struct{ link, action, main, content string }

func (b buildID) String() string {
	return strings.Join([]string{b.link, b.action, b.main, b.content}, "/")
}

// linking is the ID that the linker is given: the content is not known yet.
func (b buildID) linking() string {
	b.content = b.link
	return b.String()
}

// hole is a place in the file whose bytes depend on the dates.
type hole struct {
	at, size int
	kind     kind
}

// kind is idHole, gnuHole, or the number of a date.
type kind int

const (
	idHole kind = -1 - iota
	gnuHole
)

// pass is a hash over the file with its holes filled in.
type pass struct {
	data  []byte
	holes []hole
	head  hash.Cloner // the state before the first of the holes
	done  int         // how far that is
}

// New prepares a program. The error says what about it is not understood; then
// no date can be tried. So a wrong answer cannot come of a linker that works in
// another way than the ones known here. Nothing in the program may look like
// a placeholder by chance.
func New(file []byte, inputs Inputs, placeholders ...string) (*Program, error) {
	id, gnu, err := readNotes(file)
	if err != nil {
		return nil, fmt.Errorf("reading the program's build IDs: %w", err)
	}
	p := &Program{inputs: inputs, dates: placeholders, id: id}
	holes := append(gnu, find(file, id.String(), idHole)...)
	for i, date := range placeholders {
		if len(date) != len(Layout) {
			return nil, fmt.Errorf("date %q is not of the form %q", date, Layout)
		}
		places := find(file, date, kind(i))
		// A program that does not print its version has the build date nowhere
		// but in the build ID.
		p.depends = append(p.depends, len(places) > 0 ||
			bytes.Contains(inputs.Link, []byte(date)) || bytes.Contains(inputs.Compile, []byte(date)))
		holes = append(holes, places...)
	}
	p.file = newPass(file, holes)
	// The content hash takes both IDs for zeros, so all before the first date
	// is the same for every date.
	if p.content, err = p.file.skip(func(k kind) bool { return k < 0 }); err != nil {
		return nil, err
	}
	if len(gnu) > 0 {
		if p.gnu, err = gnuBuildID(file[gnu[0].at:][:gnu[0].size], id); err != nil {
			return nil, err
		}
	}
	return p, p.check(sha256.Sum256(file))
}

// Depends says whether the program is another one with another date in the
// place of a placeholder.
func (p *Program) Depends(placeholder int) bool { return p.depends[placeholder] }

// check recomputes the program as it is.
func (p *Program) check(want [sha256.Size]byte) error {
	action, link := p.actions(p.dates)
	if action != p.id.action || link != p.id.link {
		return fmt.Errorf("recomputing the build ID %q: got %q and %q for its first two parts", p.id, link, action)
	}
	if got := p.Sum(p.dates...); got != want {
		return fmt.Errorf("recomputing the program: want sha256 %x, got %x", want, got)
	}
	return nil
}

// Sum is the sha256 of the program as of dates of [Layout], which stand for the
// placeholders. It may be called from several goroutines.
func (p *Program) Sum(dates ...string) [sha256.Size]byte {
	id := p.id
	id.action, id.link = p.actions(dates)
	content := p.content.sum(func(k kind) []byte {
		if k < 0 {
			return zeros[:]
		}
		return []byte(dates[k])
	})
	id.content = idOf(content)
	whole, gnu := []byte(id.String()), []byte(nil)
	if p.gnu != nil {
		gnu = p.gnu(id.linking())
	}
	return p.file.sum(func(k kind) []byte {
		switch k {
		case idHole:
			return whole
		case gnuHole:
			return gnu
		}
		return []byte(dates[k])
	})
}

// actions are the hashes over what the compiler of package main and the linker
// were asked to do. The first is part of what the linker was.
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

// idOf writes a hash as build IDs do.
func idOf(h [sha256.Size]byte) string { return base64.URLEncoding.EncodeToString(h[:15]) }

func find(file []byte, what string, k kind) []hole {
	var holes []hole
	for at := 0; ; {
		i := bytes.Index(file[at:], []byte(what))
		if i < 0 {
			return holes
		}
		holes = append(holes, hole{at + i, len(what), k})
		at += i + len(what)
	}
}

// zeros are as long as any hole.
var zeros [128]byte

func newPass(data []byte, holes []hole) pass {
	slices.SortFunc(holes, func(a, b hole) int { return a.at - b.at })
	return pass{data: data, holes: holes, head: sha256.New().(hash.Cloner)}
}

// skip takes the holes at the beginning that are zeros in every sum into the
// state to begin with.
func (p pass) skip(zero func(kind) bool) (pass, error) {
	head, err := p.head.Clone()
	if err != nil {
		return pass{}, err
	}
	for len(p.holes) > 0 {
		h := p.holes[0]
		head.Write(p.data[p.done:h.at])
		p.done = h.at
		if !zero(h.kind) {
			break
		}
		head.Write(zeros[:h.size])
		p.holes, p.done = p.holes[1:], h.at+h.size
	}
	p.head = head
	return p, nil
}

func (p pass) sum(fill func(kind) []byte) [sha256.Size]byte {
	h, err := p.head.Clone()
	if err != nil {
		panic(err) // it was cloned before
	}
	at := p.done
	for _, hole := range p.holes {
		h.Write(p.data[at:hole.at])
		h.Write(fill(hole.kind)[:hole.size])
		at = hole.at + hole.size
	}
	h.Write(p.data[at:])
	return [sha256.Size]byte(h.Sum(nil))
}
