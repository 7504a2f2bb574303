package mirror

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Source is one repository of an apt configuration.
type Source struct {
	URI        string
	Suite      string
	components []string
	SignedBy   string // paths, fingerprints or a key, as in apt's Signed-By
	file       string // configuration file
	origin     string // Origin in its Release file; "" if unknown
}

// readSources reads sources.list and the files of sources.list.d, in both of
// apt's formats. It skips disabled entries and source packages.
func readSources(etcApt fs.FS) ([]Source, error) {
	names := []string{"sources.list"}
	parts, err := fs.ReadDir(etcApt, "sources.list.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading apt sources: %w", err)
	}
	for _, p := range parts {
		if aptFile.MatchString(p.Name()) {
			names = append(names, "sources.list.d/"+p.Name())
		}
	}
	var all []Source
	for _, name := range names {
		text, err := fs.ReadFile(etcApt, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading apt sources: %w", err)
		}
		parse := parseList
		if path.Ext(name) == ".sources" {
			parse = parseDeb822
		}
		for _, s := range parse(string(text)) {
			s.file = name
			all = append(all, s)
		}
	}
	return all, nil
}

// readOrigins sets the origins of sources whose Release files apt has downloaded to
// lists.
func readOrigins(lists fs.FS, sources []Source) {
	for i, s := range sources {
		for _, kind := range []string{"InRelease", "Release"} {
			f, err := lists.Open(listPrefix(s) + kind)
			if err != nil {
				continue // apt has not downloaded it
			}
			head, err := io.ReadAll(io.LimitReader(f, maxReleaseHead))
			f.Close()
			if m := originField.FindSubmatch(head); err == nil && m != nil {
				sources[i].origin = string(m[1])
			}
		}
	}
}

// maxReleaseHead bounds the beginning of a Release file, with its fields, in bytes.
const maxReleaseHead = 16 << 10

var originField = regexp.MustCompile(`(?m)^Origin: *(\S.*?)[ \r]*$`)

// listPrefix returns the beginning of the names of a source's files in apt's
// lists: the URI without scheme and credentials, and the suite.
func listPrefix(s Source) string {
	uri := s.URI
	if u, err := url.Parse(uri); err == nil && u.Opaque == "" {
		uri = u.Host + u.Path
	}
	name := strings.TrimSuffix(uri, "/") + "/dists/" + s.Suite + "/"
	return strings.NewReplacer("_", "%5f", "~", "%7e", "/", "_").Replace(name)
}

// aptFile matches the file names that apt reads.
var aptFile = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(list|sources)$`)

var listLine = regexp.MustCompile(`^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+\S+)*)$`)

// parseList parses apt's one-line format.
func parseList(text string) []Source {
	var all []Source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		m := listLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		s := Source{URI: m[2], Suite: m[3], components: strings.Fields(m[4])}
		for _, option := range strings.Fields(m[1]) {
			if key, value, _ := strings.Cut(option, "="); strings.EqualFold(key, "signed-by") {
				s.SignedBy = strings.ReplaceAll(value, ",", " ")
			}
		}
		all = append(all, s)
	}
	return all
}

// parseDeb822 parses apt's deb822 format, where a stanza can name several
// repositories.
func parseDeb822(text string) []Source {
	var all []Source
	for _, stanza := range stanzas(text) {
		if !slices.Contains(strings.Fields(stanza["types"]), "deb") ||
			slices.Contains([]string{"no", "false", "without", "off", "disable", "0"}, strings.ToLower(stanza["enabled"])) {
			continue
		}
		for _, uri := range strings.Fields(stanza["uris"]) {
			for _, suite := range strings.Fields(stanza["suites"]) {
				all = append(all, Source{
					URI: uri, Suite: suite,
					components: strings.Fields(stanza["components"]),
					SignedBy:   stanza["signed-by"],
				})
			}
		}
	}
	return all
}

// stanzas splits text into stanzas of fields. Keys are lower case; values keep
// their line breaks, because Signed-By can contain an armored key.
func stanzas(text string) []map[string]string {
	var all []map[string]string
	var last string
	fresh := true
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		switch {
		case line == "":
			fresh = true
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if !fresh && last != "" {
				all[len(all)-1][last] += "\n" + line
			}
		default:
			if fresh {
				all, fresh = append(all, map[string]string{}), false
			}
			key, value, _ := strings.Cut(line, ":")
			last = strings.ToLower(strings.TrimSpace(key))
			all[len(all)-1][last] = strings.TrimSpace(value)
		}
	}
	return all
}
