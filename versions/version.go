package versions

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Version is a stable Kubernetes version, vMAJOR.MINOR.PATCH.
type Version struct{ major, minor, patch int }

var versionPattern = regexp.MustCompile(`^v(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$`)

// ParseVersion parses "v1.36.0". Pre-releases, build metadata, a missing "v" and
// leading zeros are errors.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a stable version like v1.36.0", s)
	}
	n := [3]int{}
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // cannot fail: the pattern has digits only
	}
	return Version{n[0], n[1], n[2]}, nil
}

// String returns "v1.36.0", or "" for the zero value.
func (v Version) String() string {
	if v == (Version{}) {
		return ""
	}
	return v.join('.')
}

// Label returns the version as in labels, "v1_36_0".
func (v Version) Label() string {
	if v == (Version{}) {
		return ""
	}
	return v.join('_')
}

func (v Version) join(separator byte) string {
	return string(v.append(make([]byte, 0, 24), separator))
}

func (v Version) append(b []byte, separator byte) []byte {
	b = append(strconv.AppendInt(append(b, 'v'), int64(v.major), 10), separator)
	b = append(strconv.AppendInt(b, int64(v.minor), 10), separator)
	return strconv.AppendInt(b, int64(v.patch), 10)
}

// MinorLabel returns the minor version as in labels, "v1_36".
func (v Version) MinorLabel() string {
	return "v" + strconv.Itoa(v.major) + "_" + strconv.Itoa(v.minor)
}

// Compare compares versions numerically.
func (v Version) Compare(w Version) int {
	if v.major != w.major {
		return cmp.Compare(v.major, w.major)
	}
	if v.minor != w.minor {
		return cmp.Compare(v.minor, w.minor)
	}
	return cmp.Compare(v.patch, w.patch)
}

// MarshalText returns the same as String.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText parses what MarshalText returns.
func (v *Version) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVersion(string(text))
	return err
}
