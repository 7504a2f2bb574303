package versions

import (
	"strconv"
	"strings"
)

// filesHead is the beginning of a lock that [Lock.Format] wrote.
const filesHead = "{\n  \"schema\": 1,\n  \"files\": [\n"

// parseFormatted parses a lock with the pins of files as [Lock.Format] writes them,
// in a fifth of the time of lockParser. It returns false for all others, also those
// with errors, which lockParser describes.
func parseFormatted(file string, data []byte) (*Lock, bool) {
	rest, ok := strings.CutPrefix(string(data), filesHead)
	if !ok {
		return nil, false
	}
	r := lineReader{version: map[string]Version{}, name: map[string]bool{}}
	pins := make(map[FileKey]Pin, strings.Count(rest, "\n"))
	for more := true; more; {
		line, after, _ := strings.Cut(rest, "\n")
		if line, more = strings.CutSuffix(line, ","); len(line) < len("    {}") || line[:5] != "    {" || line[len(line)-1] != '}' {
			return nil, false
		}
		pin, ok := r.pin(line[5 : len(line)-1])
		if !ok {
			return nil, false
		}
		n := len(pins)
		if pins[pin.FileKey] = pin; len(pins) == n {
			return nil, false // duplicate
		}
		rest = after
	}
	if !strings.HasPrefix(rest, "  ]") {
		return nil, false
	}
	// Base images and the end, with an empty list of files.
	l, err := parseTokens(file, []byte(filesHead+rest))
	if err != nil {
		return nil, false
	}
	l.pins = pins
	return l, true
}

// lineReader reads pins. It caches the results of parsing names and versions.
type lineReader struct {
	version map[string]Version
	name    map[string]bool
}

// pin reads the fields between the braces of a JSON object.
func (r lineReader) pin(fields string) (pin Pin, ok bool) {
	var seen uint // a bit for each field
	for {
		key, value, rest, ok := cutField(fields)
		if !ok {
			return pin, false
		}
		bit := uint(0)
		switch key {
		case "source":
			bit, pin.Source, ok = 1, value, r.isName(value)
		case "version":
			bit = 2
			if pin.Version, ok = r.version[value]; !ok {
				v, err := ParseVersion(value)
				r.version[value], pin.Version, ok = v, v, err == nil
			}
		case "platform":
			var err error
			bit = 4
			pin.Platform, err = ParsePlatform(value)
			ok = err == nil
		case "file":
			bit, pin.File, ok = 8, value, r.isName(value)
		case "url":
			bit, pin.URL, ok = 16, value, strings.HasPrefix(value, "https://")
		case "sha256":
			var err error
			bit = 32
			pin.SHA256, err = ParseDigest(value)
			ok = err == nil
		case "archive":
			var err error
			bit = 64
			pin.Archive, err = ParseDigest(value)
			ok = err == nil
		case "member":
			var err error
			bit = 128
			pin.Member, err = parseMember(value)
			ok = err == nil
		case "size":
			// cutField returns digits only here.
			var err error
			bit = 256
			pin.Size, err = strconv.ParseInt(value, 10, 64)
			ok = err == nil && pin.Size < 1<<53 && (value == "0" || value[0] != '0')
		default:
			ok = false
		}
		if !ok || seen&bit != 0 {
			return pin, false
		}
		seen |= bit
		if rest == "" {
			const required, member = 1 | 4 | 8 | 32, 64 | 128
			return pin, seen&required == required && (seen&member == 0 || seen&member == member)
		}
		fields = rest
	}
}

func (r lineReader) isName(s string) bool {
	if !r.name[s] {
		_, err := parseName(s)
		r.name[s] = err == nil
	}
	return r.name[s]
}

// cutField cuts the first of some JSON fields without spaces: a string of printable
// ASCII without escapes, or digits for the key size.
func cutField(s string) (key, value, rest string, ok bool) {
	if len(s) == 0 || s[0] != '"' {
		return "", "", "", false
	}
	key, s, ok = strings.Cut(s[1:], `":`)
	if !ok {
		return "", "", "", false
	}
	if key == "size" {
		value, rest, ok = strings.Cut(s, ",")
		for i := range len(value) {
			if value[i] < '0' || value[i] > '9' {
				return "", "", "", false
			}
		}
		return key, value, rest, value != "" && (!ok || rest != "")
	}
	if len(s) == 0 || s[0] != '"' {
		return "", "", "", false
	}
	if value, s, ok = strings.Cut(s[1:], `"`); !ok || value == "" {
		return "", "", "", false
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' || value[i] == '\\' {
			return "", "", "", false
		}
	}
	if s == "" {
		return key, value, "", true
	}
	return key, value, s[1:], s[0] == ',' && len(s) > 1
}
