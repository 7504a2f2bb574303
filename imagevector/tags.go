package imagevector

import (
	"strings"
	"sync/atomic"
)

// tagOf returns the tag of an image without one, for a target version.
func tagOf(version string) string { return "v" + strings.TrimLeft(version, "v") }

// tags caches tags by version. Few different versions are looked up, and making a
// tag costs more than the rest of a lookup.
type tags [64]atomic.Pointer[cachedTag]

type cachedTag struct{ version, tag string }

// tag returns the tag for a target version, which must be valid unless anything is
// allowed.
func (t *tags) tag(v *version, anything bool) (*string, error) {
	hash := len(v.text)
	for i := max(0, hash-2); i < len(v.text); i++ {
		hash = hash*10 + int(v.text[i])
	}
	slot := &t[hash%len(t)]
	if cached := slot.Load(); cached != nil && cached.version == v.text {
		return &cached.tag, nil
	}
	if !anything {
		if err := v.parse(); err != nil {
			return nil, err
		}
	}
	cached := &cachedTag{v.text, tagOf(v.text)}
	slot.Store(cached)
	return &cached.tag, nil
}
