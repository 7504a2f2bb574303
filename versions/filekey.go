package versions

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// FileKey is the key of a file in the lock.
type FileKey struct {
	Source   string   `json:"source"`
	Version  Version  `json:"version,omitzero"` // zero for a program of this repository
	Platform Platform `json:"platform"`
	File     string   `json:"file"`
}

// String returns "kubernetes/v1.36.0/linux/amd64/kubelet".
func (k FileKey) String() string {
	parts := []string{k.Source, k.Version.String(), k.Platform.String(), k.File}
	if k.Version == (Version{}) {
		parts = append(parts[:1], parts[2:]...)
	}
	return strings.Join(parts, "/")
}

// ParseFileKey parses the result of [FileKey.String].
func ParseFileKey(s string) (FileKey, error) {
	parts := strings.Split(s, "/")
	k := FileKey{}
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	var err error
	switch len(parts) {
	case 5:
		k.Version, err = ParseVersion(parts[1])
		check(err)
		parts = append(parts[:1], parts[2:]...)
	case 4:
	default:
		return k, fmt.Errorf("%q is not SOURCE/VERSION/OS/ARCH/FILE", s)
	}
	k.Source, err = parseName(parts[0])
	check(err)
	k.Platform, err = ParsePlatform(parts[1] + "/" + parts[2])
	check(err)
	k.File, err = parseName(parts[3])
	check(err)
	return k, errors.Join(errs...)
}

// Compare orders keys by source, version, file and platform.
func (k FileKey) Compare(l FileKey) int {
	// Not cmp.Or, which evaluates all arguments: sorting is a part of each command.
	if n := cmp.Compare(k.Source, l.Source); n != 0 {
		return n
	}
	if n := k.Version.Compare(l.Version); n != 0 {
		return n
	}
	if n := cmp.Compare(k.File, l.File); n != 0 {
		return n
	}
	return k.Platform.compare(l.Platform)
}
