package versions

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Parts of image references, as registries and clients restrict them.
const (
	hostPart       = `(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9.-]+:[0-9]+)(:[0-9]+)?`
	repositoryPart = `[a-z0-9]+([._-]+[a-z0-9]+)*`
)

var (
	namePattern      = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)
	imagePattern     = regexp.MustCompile(`^` + hostPart + `(/` + repositoryPart + `)+$`)
	tagPattern       = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	sourceRefPattern = regexp.MustCompile(`^[^/]+/[^/]+$`)
	imagePathPattern = regexp.MustCompile(`^[A-Za-z0-9/._+@,~-]+$`)
	placeholder      = regexp.MustCompile(`\{[^{}]*\}`)
)

var (
	// Clients take a single word for a repository of a public registry.
	parseRegistry = matching(`^`+hostPart+`(/`+repositoryPart+`)*$`,
		"a registry: want a host that has a dot or a port or is localhost, and an optional path")
	parseRepository = matching(`^`+repositoryPart+`(/`+repositoryPart+`)*$`, "a repository: want a path without registry and tag")
	parseToolchain  = matching(`^go1\.[0-9]{1,3}\.[0-9]{1,3}$`, "a toolchain like go1.26.2")
)

// matching returns a parser of strings that match a pattern.
func matching(pattern, want string) func(string) (string, error) {
	re := regexp.MustCompile(pattern)
	return func(s string) (string, error) {
		if !re.MatchString(s) {
			return "", fmt.Errorf("%q is not %s", s, want)
		}
		return s, nil
	}
}

func parseName(s string) (string, error) {
	if !namePattern.MatchString(s) || len(s) > 64 {
		return "", fmt.Errorf("%q is not a name: want lower-case letters and digits, separated by a single . or -", s)
	}
	return s, nil
}

func parseString(s string) (string, error) { return s, nil }

func parseSourceKind(s string) (SourceKind, error) {
	switch k := SourceKind(s); k {
	case KindRelease, KindArchive, KindGoBuild:
		return k, nil
	}
	return "", fmt.Errorf("%q is not a source kind: want %s, %s or %s", s, KindRelease, KindArchive, KindGoBuild)
}

func parseCompression(s string) (Compression, error) {
	if c := Compression(s); c == Gzip || c == Zstd {
		return c, nil
	}
	return "", fmt.Errorf("%q is not a compression: want %s or %s", s, Gzip, Zstd)
}

func parseConstraint(s string) (*semver.Constraints, error) {
	c, err := semver.NewConstraint(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a version constraint like %q: %w", s, ">= 1.24.0", err)
	}
	return c, nil
}

func parseURLTemplate(s string) (string, error) {
	if !strings.HasPrefix(s, "https://") {
		return "", fmt.Errorf("%q does not begin with https://", s)
	}
	return s, checkTemplate(s, "version", "os", "arch", "file")
}

func parseTagTemplate(s string) (string, error) {
	if err := checkTemplate(s, "version", "iteration", "-iteration"); err != nil {
		return "", err
	}
	if !strings.Contains(s, "{version}") {
		return "", fmt.Errorf("%q has no {version}: all releases would have the same tag", s)
	}
	if tag := (Revision{Version{1, 99, 99}, 99}).expand(s); !tagPattern.MatchString(tag) {
		return "", fmt.Errorf("%q expands to %q, which is not a tag", s, tag)
	}
	return s, nil
}

func checkTemplate(s string, known ...string) error {
	for _, p := range placeholder.FindAllString(s, -1) {
		if !slices.Contains(known, p[1:len(p)-1]) {
			return fmt.Errorf("%q has unknown placeholder %s; want one of {%s}", s, p, strings.Join(known, "}, {"))
		}
	}
	return nil
}

// expand replaces {key} by its value in a template.
func expand(template string, values map[string]string) string {
	var b strings.Builder
	for {
		end := strings.IndexByte(template, '}')
		start := strings.LastIndexByte(template[:max(end, 0)], '{')
		if end < 0 {
			b.WriteString(template)
			return b.String()
		}
		if start < 0 {
			b.WriteString(template[:end+1])
		} else {
			b.WriteString(template[:start])
			b.WriteString(values[template[start+1:end]])
		}
		template = template[end+1:]
	}
}

func parseArchitecture(s string) (Platform, error) {
	p, err := ParsePlatform("linux/" + s)
	if err != nil {
		return p, fmt.Errorf("%q is not an architecture: want amd64 or arm64", s)
	}
	return p, nil
}

func parseMode(s string) (int64, error) {
	mode, err := strconv.ParseInt(s, 8, 64)
	if err != nil || len(s) != 4 || s[0] != '0' {
		return 0, fmt.Errorf("%q is not a mode: want four octal digits in quotes, \"0755\"", s)
	}
	return mode, nil
}

func parsePath(s string) (string, error) {
	switch {
	case !path.IsAbs(s):
		return "", fmt.Errorf("%q is relative: want an absolute path", s)
	case s == "/":
		return "", fmt.Errorf("%q is not a file", s)
	case path.Clean(s) != s:
		return "", fmt.Errorf("%q is not clean: want %q", s, path.Clean(s))
	case strings.Contains(s, "/.wh."):
		return "", fmt.Errorf("%q is a whiteout: in a layer, the prefix .wh. removes a file", s)
	}
	return s, nil
}

// parseImagePath parses the path of a file or symlink in an image. Bazel labels of
// layers have the paths of files, and tools/layer takes PATH=TARGET of a symlink.
func parseImagePath(s string) (string, error) {
	s, err := parsePath(s)
	if err == nil && !imagePathPattern.MatchString(s) {
		err = fmt.Errorf("%q: want a path of letters, digits and any of / . _ - + @ , ~", s)
	}
	return s, err
}

func parseMember(s string) (string, error) {
	if path.IsAbs(s) || path.Clean(s) != s || s == "." || s == ".." || strings.HasPrefix(s, "../") {
		return "", fmt.Errorf("%q is not a path in an archive: want a clean relative path that has no .. elements", s)
	}
	return s, nil
}

func parseSourceRef(s string) (SourceChoice, error) {
	if !sourceRefPattern.MatchString(s) {
		return SourceChoice{}, fmt.Errorf("%q is not SOURCE/FILE", s)
	}
	source, file, _ := strings.Cut(s, "/")
	return SourceChoice{Source: source, File: file}, nil
}

func checkEnv(p Pair) error {
	if strings.ContainsAny(p.Key, "= $") || strings.Contains(p.Value, "$") {
		return fmt.Errorf("%s=%s: want a key without space, = and $, and a value without $", p.Key, p.Value)
	}
	return nil
}

func checkLabel(p Pair) error {
	if strings.ContainsAny(p.Key, "= ") {
		return fmt.Errorf("key %q has a space or =", p.Key)
	}
	known := []string{"version", "iteration", "-iteration"}
	for _, path := range labelSources(p.Value) {
		known = append(known, "source:"+path)
	}
	return checkTemplate(p.Value, known...)
}
