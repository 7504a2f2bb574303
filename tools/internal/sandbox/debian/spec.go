// Package debian makes Debian root folders and runs programs inside them. A
// root comes from the mirror that the machine's own apt is configured with,
// checked by Debian's signatures, so a fenced site needs nothing beside what
// it already has.
package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Spec says what a root holds. Equal specs share one root.
type Spec struct {
	Suite    string   // codename: bullseye, forky
	Packages []string // beside the essential ones and apt
	Security bool     // add SUITE-security, where fixes of a stable suite are
}

// layout is part of a root's name: raise it when roots of one spec come to
// hold something else than before.
const layout = 1

var (
	suiteName   = regexp.MustCompile(`^[a-z][a-z0-9.-]*$`)
	packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.:-]+$`)
)

func (s Spec) validate() error {
	if !suiteName.MatchString(s.Suite) {
		return fmt.Errorf("suite %q is not a Debian suite name", s.Suite)
	}
	for _, p := range s.Packages {
		if !packageName.MatchString(p) {
			return fmt.Errorf("package %q is not a Debian package name", p)
		}
	}
	return nil
}

// name is the root's folder: the suite for people, a hash for the rest.
func (s Spec) name() string {
	s.Packages = slices.Compact(slices.Sorted(slices.Values(s.Packages)))
	text, err := json.Marshal(struct {
		Layout int
		Spec   Spec
	}{layout, s})
	if err != nil {
		panic(err) // strings and a bool always marshal
	}
	sum := sha256.Sum256(text)
	return s.Suite + "-" + hex.EncodeToString(sum[:6])
}
