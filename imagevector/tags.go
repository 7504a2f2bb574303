package imagevector

import (
	"strings"
	"sync/atomic"
)

// tagOf returns the tag that an image without one gets for a target version.
func tagOf(version string) string { return "v" + strings.TrimLeft(version, "v") }

// tags remembers the tags made last: the versions looked up are few, and making
// a tag costs more than all the rest of a look-up.
type tags [64]atomic.Pointer[madeTag]

type madeTag struct{ version, tag string }

// of returns the tag for a target version, which must be one unless anything goes.
func (t *tags) of(d *demand, anything bool) (*string, error) {
	at := len(d.text)
	for i := max(0, at-2); i < len(d.text); i++ {
		at = at*10 + int(d.text[i])
	}
	slot := &t[at%len(t)]
	if made := slot.Load(); made != nil && made.version == d.text {
		return &made.tag, nil
	}
	if !anything && !d.parsed {
		if err := d.parse(); err != nil {
			return nil, err
		}
	}
	made := &madeTag{d.text, tagOf(d.text)}
	slot.Store(made)
	return &made.tag, nil
}
