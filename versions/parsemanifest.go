package versions

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/Masterminds/semver/v3"
	"gopkg.in/yaml.v3"
)

// Bounds of a manifest. The largest measured one has 2,000 releases of 4 flavors.
const (
	maxManifest = 4 << 20 // bytes
	maxReleases = 20_000
	maxImages   = 100_000
)

// ParseManifest reads a manifest. The error has the first errors found, each with
// file, line and field, and the number of the others.
func ParseManifest(file string, data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("reading manifest %q: %d bytes, want at most %d", file, len(data), maxManifest)
	}
	var root, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("reading manifest %q: %w", file, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading manifest %q: more than one document", file)
	}
	p := manifestParser{decoder: &decoder{file: file}, m: &Manifest{}, nodes: map[string]*yaml.Node{}}
	p.manifest(root.Content[0])
	if err := joinFirst(p.errs); err != nil {
		return nil, err
	}
	return p.m, nil
}

// manifestParser keeps the nodes of fields, for the lines in errors of validate.
type manifestParser struct {
	*decoder
	m     *Manifest
	nodes map[string]*yaml.Node // by field
	// tooMany is set if there are more than maxReleases, which are not read.
	tooMany bool
}

func (p *manifestParser) manifest(n *yaml.Node) {
	p.object(n, "", map[string]field{
		"schema":   required(p.schema),
		"registry": required(into(p.decoder, &p.m.Registry, parseRegistry)),
		"sources": required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) { p.source(key, k, v, join(at, key)) })
			slices.SortFunc(p.m.Sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
		}),
		"debian": optional(p.debian),
		"flavors": required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) { p.flavor(key, k, v, join(at, key)) })
		}),
		"releases": required(func(n *yaml.Node, at string) {
			if len(n.Content) > maxReleases {
				p.tooMany = true
				p.errorf(n, at, "want at most %d, got %d", maxReleases, len(n.Content))
				return
			}
			p.items(n, at, p.release)
		}),
	})
	p.validate()
}

func (p *manifestParser) schema(n *yaml.Node, at string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Value != "1" {
		p.errorf(n, at, "want 1, got %s", describe(n))
	}
}

func (p *manifestParser) source(name string, k, n *yaml.Node, at string) {
	s := Source{Name: name}
	if _, err := parseName(name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	switch name {
	case "bases":
		p.errorf(k, at, "is reserved: the package of base images has this name")
	case "debian":
		p.errorf(k, at, "is reserved: the keys of Debian packages begin with this name")
	}
	fields := map[string]field{"kind": required(into(p.decoder, &s.Kind, parseSourceKind))}
	// files reads a mapping from the names of files to one value each.
	files := func(value func(f *SourceFile) reader) field {
		return required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) {
				at := join(at, key)
				f := SourceFile{Name: key}
				value(&f)(v, at)
				if _, err := parseName(key); err != nil {
					p.errorf(k, at, "%v", err)
				}
				s.Files = append(s.Files, f)
			})
		})
	}
	kind := SourceKind(scalar(n, "kind"))
	switch kind {
	case KindRelease:
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["files"] = files(func(f *SourceFile) reader { return into(p.decoder, &f.Versions, parseConstraint) })
	case KindArchive:
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["members"] = files(func(f *SourceFile) reader { return into(p.decoder, &f.Member, parseMember) })
	case KindGoBuild:
		fields["toolchain"] = required(into(p.decoder, &s.Toolchain, parseToolchain))
		fields["flags"] = optional(list(p.decoder, &s.Flags, parseString))
		fields["packages"] = files(func(f *SourceFile) reader { return into(p.decoder, &f.Package, parseString) })
	default:
		// object reports the missing or wrong kind.
		for _, key := range []string{"url", "files", "members", "toolchain", "flags", "packages", "versions"} {
			fields[key] = optional(func(*yaml.Node, string) {})
		}
	}
	// Archives have one constraint for all their members.
	var c *semver.Constraints
	if kind == KindArchive {
		fields["versions"] = required(into(p.decoder, &c, parseConstraint))
	}
	p.object(n, at, fields)
	if s.Kind != KindRelease {
		for i := range s.Files {
			s.Files[i].Versions = c
		}
	}
	slices.SortFunc(s.Files, func(a, b SourceFile) int { return cmp.Compare(a.Name, b.Name) })
	p.m.Sources = append(p.m.Sources, s)
}

func (p *manifestParser) release(n *yaml.Node, at string) {
	r := Release{}
	p.nodes[at] = n
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
						p.errorf(v, join(at, key), "want a number from 1 to 9999, got %s", describe(v))
						return
					}
					r.Iterations[key] = i
				})
			}),
		})
	}
	p.m.Releases = append(p.m.Releases, r)
}

// scalar returns the value of a key in a mapping, "" without one.
func scalar(n *yaml.Node, key string) string {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1].Value
		}
	}
	return ""
}
