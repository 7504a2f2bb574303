// Package span implements sets of versions. Versions have no suffix, because image
// vectors ignore suffixes in comparisons.
package span

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is a version without suffix.
type Version struct{ Major, Minor, Patch uint64 }

// highest is the maximum version.
var highest = Version{math.MaxUint64, math.MaxUint64, math.MaxUint64}

// Compare returns -1, 0 or 1.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// Less reports whether v is less than w.
func (v Version) Less(w Version) bool {
	if v.Major != w.Major {
		return v.Major < w.Major
	}
	if v.Minor != w.Minor {
		return v.Minor < w.Minor
	}
	return v.Patch < w.Patch
}

// String returns "1.30.2".
func (v Version) String() string {
	return strconv.FormatUint(v.Major, 10) + "." + strconv.FormatUint(v.Minor, 10) + "." + strconv.FormatUint(v.Patch, 10)
}

// next returns the version after v; ok is false if there is none.
func (v Version) next() (_ Version, ok bool) {
	switch {
	case v.Patch < math.MaxUint64:
		return Version{v.Major, v.Minor, v.Patch + 1}, true
	case v.Minor < math.MaxUint64:
		return Version{v.Major, v.Minor + 1, 0}, true
	case v.Major < math.MaxUint64:
		return Version{v.Major + 1, 0, 0}, true
	}
	return v, false
}

// Before returns the version before v, which must not be the first one.
func (v Version) Before() Version {
	switch {
	case v.Patch > 0:
		return Version{v.Major, v.Minor, v.Patch - 1}
	case v.Minor > 0:
		return Version{v.Major, v.Minor - 1, math.MaxUint64}
	}
	return Version{v.Major - 1, math.MaxUint64, math.MaxUint64}
}

// Normalize prepares a version for comparison as Gardener does: it removes every "v"
// and the suffix.
func Normalize(version string) string {
	version = strings.ReplaceAll(version, "v", "")
	if i := strings.IndexAny(version, "-+~"); i >= 0 {
		version = version[:i]
	}
	return version
}

// Parse normalizes and parses a version. The error is that of semver.
func Parse(version string) (Version, error) {
	if v, ok := parsePlain(version); ok {
		return v, nil
	}
	v, err := semver.NewVersion(Normalize(version))
	if err != nil {
		return Version{}, err
	}
	return Version{v.Major(), v.Minor(), v.Patch()}, nil
}

// parsePlain parses one to three numbers with an optional suffix, which is faster
// than the regular expression of semver. ok is false for any other version.
func parsePlain(s string) (v Version, ok bool) {
	if len(s) > semver.MaxVersionLen {
		return Version{}, false
	}
	i := 0
	for part := &v.Major; ; {
		n, digits := uint64(0), 0
		for ; i < len(s); i++ {
			if c := s[i] - '0'; c <= 9 {
				n = n*10 + uint64(c)
				digits++
			} else if s[i] != 'v' {
				break
			}
		}
		if digits == 0 || digits > 18 { // 18 digits cannot overflow
			return Version{}, false
		}
		*part = n
		if i == len(s) || s[i] == '-' || s[i] == '+' || s[i] == '~' {
			return v, true
		}
		if s[i] != '.' {
			return Version{}, false
		}
		i++
		switch part {
		case &v.Major:
			part = &v.Minor
		case &v.Minor:
			part = &v.Patch
		default:
			return Version{}, false
		}
	}
}
