// Package debian creates root directories with a Debian system and runs
// programs in them. Packages come from the mirror in the host's apt
// configuration and are verified by apt with Debian's signing keys.
package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Spec describes the content of a root. Equal specs share one root.
type Spec struct {
	Suite    string   // codename: bullseye, forky
	Packages []string // in addition to the essential packages and apt
	Security bool     // add the repository SUITE-security
}

// layout is part of a root's name. Increment it when roots of the same spec
// change their content.
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

// name returns the directory name of the root: the suite and a hash.
func (s Spec) name() string {
	s.Packages = slices.Compact(slices.Sorted(slices.Values(s.Packages)))
	text, err := json.Marshal(struct {
		Layout int
		Spec   Spec
	}{layout, s})
	if err != nil {
		panic(err) // unreachable: strings and a bool always marshal
	}
	sum := sha256.Sum256(text)
	return s.Suite + "-" + hex.EncodeToString(sum[:6])
}
