// Package span knows sets of released versions: the numbers before any suffix,
// since that is all that image vectors ever compare.
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

// highest is the greatest version there can be.
var highest = Version{math.MaxUint64, math.MaxUint64, math.MaxUint64}

// Compare returns -1, 0 or 1.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// Less tells whether v comes before w.
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

// next returns the version right after v; ok is false if there is none.
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

// previous returns the version right before v; ok is false if there is none.
func (v Version) previous() (_ Version, ok bool) {
	switch {
	case v.Patch > 0:
		return Version{v.Major, v.Minor, v.Patch - 1}, true
	case v.Minor > 0:
		return Version{v.Major, v.Minor - 1, math.MaxUint64}, true
	case v.Major > 0:
		return Version{v.Major - 1, math.MaxUint64, math.MaxUint64}, true
	}
	return v, false
}

// Normalize does to a version what Gardener does before it compares one: every
// "v" goes, and all from the first suffix on.
func Normalize(version string) string {
	version = strings.ReplaceAll(version, "v", "")
	if i := strings.IndexAny(version, "-+~"); i >= 0 {
		version = version[:i]
	}
	return version
}

// maxVersion is the longest text that semver reads as a version.
const maxVersion = semver.MaxVersionLen

// Parse normalises a version and reads it. The error is semver's.
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

// parsePlain reads what nearly every version is, one to three numbers and a
// suffix, without semver's regular expression and without allocating. It gives
// up where semver has more to say.
func parsePlain(s string) (v Version, ok bool) {
	if len(s) > maxVersion {
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

// Before returns the version right before v, which must not be the first.
func (v Version) Before() Version {
	w, _ := v.previous()
	return w
}
