package versions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"gopkg.in/yaml.v3"
)

// maxManifest bounds the manifest's size in bytes: far above what people write,
// far below what hurts.
const maxManifest = 4 << 20

// ParseManifest reads a manifest. The error names every fault with file, line
// and field; then there is no manifest.
func ParseManifest(file string, data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("reading manifest %q: %d bytes, more than the %d allowed", file, len(data), maxManifest)
	}
	var root, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("reading manifest %q: %w", file, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading manifest %q: more than one document", file)
	}
	d := &decoder{file: file}
	m := &Manifest{}
	p := manifestParser{decoder: d, m: m, at: map[string]*yaml.Node{}}
	p.manifest(root.Content[0])
	if err := d.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// manifestParser remembers where things stand, for checks across them.
type manifestParser struct {
	*decoder
	m  *Manifest
	at map[string]*yaml.Node // field -> node
}

func (p *manifestParser) manifest(n *yaml.Node) {
	p.object(n, "", map[string]field{
		"schema":   required(p.schema),
		"registry": required(into(p.decoder, &p.m.Registry, parseRepository)),
		"sources": required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) { p.source(key, k, v, join(at, key)) })
			sort.Slice(p.m.Sources, func(i, j int) bool { return p.m.Sources[i].Name < p.m.Sources[j].Name })
		}),
		"flavors": required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) { p.flavor(key, k, v, join(at, key)) })
		}),
		"releases": required(func(n *yaml.Node, at string) { p.items(n, at, p.release) }),
	})
	p.across()
}

func (p *manifestParser) schema(n *yaml.Node, at string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Value != "1" {
		p.errorf(n, at, "want 1, the only schema that this program knows, got %s", kind(n))
	}
}

func (p *manifestParser) source(name string, k, n *yaml.Node, at string) {
	s := Source{Name: name}
	if _, err := parseName(name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	fields := map[string]field{"kind": required(into(p.decoder, &s.Kind, parseSourceKind))}
	versioned := func(n *yaml.Node, at string) {
		p.entries(n, at, func(key string, k, v *yaml.Node) {
			f := SourceFile{Name: key}
			into(p.decoder, &f.Kubernetes, parseConstraint)(v, join(at, key))
			p.sourceFile(&s, f, k, join(at, key))
		})
	}
	switch scalar(n, "kind") {
	case string(KindRelease):
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["files"] = required(versioned)
	case string(KindArchive):
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["kubernetes"] = optional(func(*yaml.Node, string) {})
		fields["members"] = required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) {
				f := SourceFile{Name: key}
				into(p.decoder, &f.Member, parseMember)(v, join(at, key))
				p.sourceFile(&s, f, k, join(at, key))
			})
		})
	case string(KindGoBuild):
		fields["module"] = required(into(p.decoder, &s.Module, parseAny))
		fields["toolchain"] = required(into(p.decoder, &s.Toolchain, parseToolchain))
		fields["flags"] = optional(list(p.decoder, &s.Flags, parseAny))
		fields["packages"] = required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) {
				f := SourceFile{Name: key}
				into(p.decoder, &f.Package, parseAny)(v, join(at, key))
				p.sourceFile(&s, f, k, join(at, key))
			})
		})
	default:
		// The kind itself is the fault; object says so.
		for _, key := range []string{"url", "files", "members", "module", "toolchain", "flags", "packages", "kubernetes"} {
			fields[key] = optional(func(*yaml.Node, string) {})
		}
	}
	// An archive belongs to the versions that it is declared for, all its
	// members alike.
	if s.Kind = SourceKind(scalar(n, "kind")); s.Kind == KindArchive {
		var c *semver.Constraints
		fields["kubernetes"] = required(into(p.decoder, &c, parseConstraint))
		p.object(n, at, fields)
		for i := range s.Files {
			s.Files[i].Kubernetes = c
		}
	} else {
		p.object(n, at, fields)
	}
	sort.Slice(s.Files, func(i, j int) bool { return s.Files[i].Name < s.Files[j].Name })
	p.m.Sources = append(p.m.Sources, s)
}

func (p *manifestParser) sourceFile(s *Source, f SourceFile, k *yaml.Node, at string) {
	if _, err := parseName(f.Name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	s.Files = append(s.Files, f)
}

func (p *manifestParser) flavor(name string, k, n *yaml.Node, at string) {
	f := Flavor{Name: name, Compression: Gzip}
	p.at[at] = k
	if _, err := parseName(name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	if name == "layers" || name == "private" {
		p.errorf(k, at, "is the name of a folder in images/ already")
	}
	p.object(n, at, map[string]field{
		"repository":    required(into(p.decoder, &f.Repository, parseRepository)),
		"tag":           required(into(p.decoder, &f.Tag, parseTagTemplate)),
		"kubernetes":    required(into(p.decoder, &f.Kubernetes, parseConstraint)),
		"architectures": required(list(p.decoder, &f.Platforms, parseArchitecture)),
		"compression":   optional(into(p.decoder, &f.Compression, parseCompression)),
		"files": required(func(n *yaml.Node, at string) {
			p.items(n, at, func(n *yaml.Node, at string) { p.flavorFile(&f, n, at) })
		}),
		"symlinks": optional(func(n *yaml.Node, at string) {
			var links []Pair
			pairs(p.decoder, &links, func(l Pair) error {
				_, err := parsePath(l.Key)
				return err
			})(n, at)
			for _, l := range links {
				f.Symlinks = append(f.Symlinks, Symlink{Path: l.Key, Target: l.Value})
			}
		}),
		"entrypoint": required(list(p.decoder, &f.Entrypoint, parseAny)),
		"cmd":        optional(list(p.decoder, &f.Cmd, parseAny)),
		"env":        optional(pairs(p.decoder, &f.Env, checkEnv)),
		"labels":     optional(pairs(p.decoder, &f.Labels, checkLabel)),
		"user":       optional(into(p.decoder, &f.User, parseAny)),
		"workdir":    optional(into(p.decoder, &f.WorkingDir, parsePath)),
		"base": optional(func(n *yaml.Node, at string) {
			p.items(n, at, func(n *yaml.Node, at string) {
				var b Base
				p.object(n, at, map[string]field{
					"kubernetes": required(into(p.decoder, &b.Kubernetes, parseConstraint)),
					"image":      required(into(p.decoder, &b.Image, parseImageDigest)),
				})
				f.Bases = append(f.Bases, b)
			})
		}),
	})
	p.m.Flavors = append(p.m.Flavors, f)
}

func (p *manifestParser) flavorFile(f *Flavor, n *yaml.Node, at string) {
	file := FlavorFile{Mode: 0o755}
	var source string
	p.at[at] = n
	p.object(n, at, map[string]field{
		"path":   required(into(p.decoder, &file.Path, parsePath)),
		"mode":   optional(into(p.decoder, &file.Mode, parseMode)),
		"source": required(into(p.decoder, &source, parseSourceRef)),
	})
	file.Source, file.File, _ = strings.Cut(source, "/")
	f.Files = append(f.Files, file)
}

func (p *manifestParser) release(n *yaml.Node, at string) {
	r := Release{}
	p.at[at] = n
	if n.Kind != yaml.MappingNode {
		into(p.decoder, &r.Version, ParseVersion)(n, at)
	} else {
		p.object(n, at, map[string]field{
			"version": required(into(p.decoder, &r.Version, ParseVersion)),
			"iterations": required(func(n *yaml.Node, at string) {
				r.Iterations = map[string]int{}
				p.entries(n, at, func(key string, _, v *yaml.Node) {
					i, err := strconv.Atoi(v.Value)
					if v.Kind != yaml.ScalarNode || v.Tag != "!!int" || err != nil || i < 1 || i > 9999 {
						p.errorf(v, join(at, key), "want a number from 1 to 9999, got %s", kind(v))
						return
					}
					r.Iterations[key] = i
				})
			}),
		})
	}
	p.m.Releases = append(p.m.Releases, r)
}

// scalar returns the value of a key in a mapping, "" where there is none.
func scalar(n *yaml.Node, key string) string {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1].Value
		}
	}
	return ""
}

var (
	namePattern       = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)
	toolchainPattern  = regexp.MustCompile(`^go1\.[0-9]{1,3}\.[0-9]{1,3}$`)
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+([._:-][a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	imagePattern      = regexp.MustCompile(`^[a-z0-9]+([._:-][a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$`)
	tagPattern        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	sourceRefPattern  = regexp.MustCompile(`^[^/]+/[^/]+$`)
	placeholder       = regexp.MustCompile(`\{[^{}]*\}`)
)

func parseName(s string) (string, error) {
	if !namePattern.MatchString(s) || len(s) > 64 {
		return "", fmt.Errorf("%q is not a name: want lower-case letters and digits, and single - or . between them", s)
	}
	return s, nil
}

func parseAny(s string) (string, error) { return s, nil }

func parseSourceKind(s string) (SourceKind, error) {
	switch k := SourceKind(s); k {
	case KindRelease, KindArchive, KindGoBuild:
		return k, nil
	}
	return "", fmt.Errorf("%q is not a kind of source: want %s, %s or %s", s, KindRelease, KindArchive, KindGoBuild)
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
		return nil, fmt.Errorf("%q is not a constraint on versions like %q: %w", s, ">= 1.24.0", err)
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
	if err := checkTemplate(s, "version", "iteration"); err != nil {
		return "", err
	}
	if !strings.Contains(s, "{version}") {
		return "", fmt.Errorf("%q lacks {version}: all releases would push the same tag", s)
	}
	if tag := expand(s, map[string]string{"version": "v1.99.99", "iteration": "99"}); !tagPattern.MatchString(tag) {
		return "", fmt.Errorf("%q makes %q, which is not a tag", s, tag)
	}
	return s, nil
}

func checkTemplate(s string, known ...string) error {
	for _, p := range placeholder.FindAllString(s, -1) {
		ok := false
		for _, k := range known {
			ok = ok || p == "{"+k+"}"
		}
		if !ok {
			return fmt.Errorf("%q has %s; known here: {%s}", s, p, strings.Join(known, "}, {"))
		}
	}
	return nil
}

// expand replaces {key} by its value in a template that checkTemplate passed.
func expand(template string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(template, func(p string) string { return values[p[1:len(p)-1]] })
}

func parseRepository(s string) (string, error) {
	if !repositoryPattern.MatchString(s) {
		return "", fmt.Errorf("%q is not a registry or repository", s)
	}
	return s, nil
}

func parseImageDigest(s string) (string, error) {
	if !imagePattern.MatchString(s) {
		return "", fmt.Errorf("%q is not an image by digest: want REPOSITORY@sha256:DIGEST", s)
	}
	return s, nil
}

func parseToolchain(s string) (string, error) {
	if !toolchainPattern.MatchString(s) {
		return "", fmt.Errorf("%q is not a toolchain like go1.26.2", s)
	}
	return s, nil
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
		return "", fmt.Errorf("%q is no file", s)
	case path.Clean(s) != s:
		return "", fmt.Errorf("%q is not clean: want %q", s, path.Clean(s))
	}
	return s, nil
}

func parseMember(s string) (string, error) {
	if path.IsAbs(s) || path.Clean(s) != s || s == "." || s == ".." || strings.HasPrefix(s, "../") {
		return "", fmt.Errorf("%q is not a path inside an archive: want it relative, clean, and without .. in it", s)
	}
	return s, nil
}

func parseSourceRef(s string) (string, error) {
	if !sourceRefPattern.MatchString(s) {
		return "", fmt.Errorf("%q is not SOURCE/FILE", s)
	}
	return s, nil
}

func checkEnv(p Pair) error {
	if strings.ContainsAny(p.Key, "= $") || strings.Contains(p.Value, "$") {
		return fmt.Errorf("%s=%s: want a key without blank, = and $, and a value without $", p.Key, p.Value)
	}
	return nil
}

func checkLabel(p Pair) error {
	if strings.ContainsAny(p.Key, "= ") {
		return fmt.Errorf("the key %q has a blank or =", p.Key)
	}
	return checkTemplate(p.Value, "version", "iteration")
}
