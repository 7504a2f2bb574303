package versions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
