package versions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"

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
		"registry": required(into(p.decoder, &p.m.Registry, parseRegistry)),
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
	if name == "bases" {
		p.errorf(k, at, "is the package of base images already")
	}
	fields := map[string]field{"kind": required(into(p.decoder, &s.Kind, parseSourceKind))}
	versioned := func(n *yaml.Node, at string) {
		p.entries(n, at, func(key string, k, v *yaml.Node) {
			f := SourceFile{Name: key}
			into(p.decoder, &f.Versions, parseConstraint)(v, join(at, key))
			p.sourceFile(&s, f, k, join(at, key))
		})
	}
	switch scalar(n, "kind") {
	case string(KindRelease):
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["files"] = required(versioned)
	case string(KindArchive):
		fields["url"] = required(into(p.decoder, &s.URL, parseURLTemplate))
		fields["versions"] = optional(func(*yaml.Node, string) {})
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
		fields["flags"] = optional(list(p.decoder, &s.Flags, parseFlag))
		fields["versions"] = optional(func(*yaml.Node, string) {})
		fields["packages"] = required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) {
				f := SourceFile{Name: key}
				into(p.decoder, &f.Package, parseAny)(v, join(at, key))
				p.sourceFile(&s, f, k, join(at, key))
			})
		})
	default:
		// The kind itself is the fault; object says so.
		for _, key := range []string{"url", "files", "members", "module", "toolchain", "flags", "packages", "versions"} {
			fields[key] = optional(func(*yaml.Node, string) {})
		}
	}
	// What is not released file by file belongs to the versions that its source
	// is declared for, all its files alike. A program of this repository belongs
	// to none.
	s.Kind = SourceKind(scalar(n, "kind"))
	var c *semver.Constraints
	switch constraint := into(p.decoder, &c, parseConstraint); {
	case s.Kind == KindArchive, s.Kind == KindGoBuild && scalar(n, "module") != ".":
		fields["versions"] = required(constraint)
	case s.Kind == KindGoBuild:
		delete(fields, "versions")
	}
	p.object(n, at, fields)
	if s.Kind != KindRelease {
		for i := range s.Files {
			s.Files[i].Versions = c
		}
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
