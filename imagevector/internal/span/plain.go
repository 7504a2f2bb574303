package span

import (
	"math"
	"strings"

	"github.com/Masterminds/semver/v3"
)

const top = math.MaxUint64

// plainConstraint evaluates a constraint of operators and plain numbers. ok is false
// for any other constraint, valid or not.
func plainConstraint(text string) (_ Set, ok bool) {
	if len(text) > semver.MaxConstraintLen || strings.Count(text, "||") >= semver.MaxConstraintGroups {
		return nil, false
	}
	var met Set
	for group := range strings.SplitSeq(text, "||") {
		set, ok := plainGroup(group)
		if !ok {
			return nil, false
		}
		met = append(met, set...)
	}
	if len(met) > 1 {
		met = Of(met...)
	}
	return met, true
}

// plainGroup evaluates constraints separated by spaces or commas, which must all be
// satisfied.
func plainGroup(s string) (Set, bool) {
	s = trimSpace(s)
	var met Set
	for {
		one, rest, ok := plainOne(s)
		if !ok {
			return nil, false
		}
		if met == nil {
			met = one
		} else {
			met = met.Intersect(one)
		}
		if s = trimSpace(rest); s == "" {
			return met, true
		}
		switch {
		case s[0] == ',':
			s = trimSpace(s[1:])
		case len(s) == len(rest): // no separator
			return nil, false
		}
	}
}

func trimSpace(s string) string { return strings.TrimLeft(s, " \t\n\f\r") }

// plainOne evaluates one operator with its version.
func plainOne(s string) (_ Set, rest string, ok bool) {
	n := 0
	for n < len(s) && strings.IndexByte("=!<>~^", s[n]) >= 0 {
		n++
	}
	op := s[:n]
	v, parts, rest, ok := plainVersion(trimSpace(s[n:]))
	if !ok {
		return nil, "", false
	}
	set, ok := satisfying(op, v, parts)
	return set, rest, ok
}

// plainVersion parses a version. parts is the number of its parts that are numbers,
// rather than wildcards or missing.
func plainVersion(s string) (v Version, parts int, rest string, ok bool) {
	s = strings.TrimPrefix(s, "v")
	wild := false
	for part := 0; ; part++ {
		n, length := uint64(0), 0
		for length < len(s) && '0' <= s[length] && s[length] <= '9' {
			n = n*10 + uint64(s[length]-'0')
			length++
		}
		switch {
		case length > 18: // left to semver: near the maximum of uint64
			return v, 0, "", false
		case length > 0 && !wild:
			switch part {
			case 0:
				v.Major = n
			case 1:
				v.Minor = n
			case 2:
				v.Patch = n
			}
			parts++
		case length == 0 && s != "" && strings.IndexByte("xX*", s[0]) >= 0:
			wild, length = true, 1
		case length == 0:
			return v, 0, "", false
		}
		s = s[length:]
		if s == "" || part == 2 || s[0] != '.' {
			break
		}
		s = s[1:]
	}
	// A suffix, a fourth part or a part such as 1x is not plain.
	return v, parts, s, s == "" || strings.IndexByte(" \t\n\f\r,", s[0]) >= 0
}

// satisfying returns the versions that satisfy one operator. parts is the number of
// parts that v has; semver calls a version with fewer than three dirty.
func satisfying(op string, v Version, parts int) (Set, bool) {
	end := v // the last version that v, possibly incomplete, includes
	switch parts {
	case 0:
		if op == "" || op == "=" || op == "~" || op == "~>" || op == ">=" || op == "=>" {
			return All(), true
		}
		return nil, false // left to semver, whose results are surprising
	case 1:
		end = Version{v.Major, top, top}
	case 2:
		end = Version{v.Major, v.Minor, top}
	}
	from, to := v, end
	switch op {
	case "", "=":
	case "!=":
		return Set{{v, end}}.Complement(), true
	case ">":
		from, _ = end.next()
		to = highest
	case "<":
		if v == (Version{}) {
			return Set{}, true
		}
		from, to = Version{}, v.Before()
	case ">=", "=>":
		to = highest
	case "<=", "=<":
		from = Version{}
	case "~", "~>":
		switch {
		case parts == 3 && v == Version{}: // semver treats ~0.0.0 as any version
			to = highest
		case parts == 3:
			to.Patch = top
		}
	case "^":
		switch {
		case v.Major > 0 || parts == 1:
			to = Version{v.Major, top, top}
		case v.Minor > 0 || parts == 2:
			to = Version{0, v.Minor, top}
		}
	default:
		return nil, false
	}
	return Set{{from, to}}, true
}
