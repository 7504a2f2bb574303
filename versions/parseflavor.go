package versions

import "gopkg.in/yaml.v3"

func (p *manifestParser) flavor(name string, k, n *yaml.Node, at string) {
	f := Flavor{Name: name, Compression: Gzip}
	p.nodes[at] = k
	if _, err := parseName(name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	if name == "layers" || name == "private" {
		p.errorf(k, at, "is reserved: images/%s is not a flavor", name)
	}
	tag := scalar(n, "tag") // minTags are parsed with this template
	p.object(n, at, map[string]field{
		"repository":    required(into(p.decoder, &f.Repository, parseRepository)),
		"tag":           required(into(p.decoder, &f.Tag, parseTagTemplate)),
		"contentTag":    optional(p.boolean(&f.ContentTag)),
		"versions":      required(into(p.decoder, &f.Versions, parseConstraint)),
		"architectures": required(list(p.decoder, &f.Platforms, parseArchitecture)),
		"compression":   optional(into(p.decoder, &f.Compression, parseCompression)),
		"files": required(func(n *yaml.Node, at string) {
			p.items(n, at, func(n *yaml.Node, at string) { f.Files = append(f.Files, p.flavorFile(tag, n, at)) })
		}),
		"pins":       optional(into(p.decoder, &f.Pins, parseImagePath)),
		"symlinks":   optional(func(n *yaml.Node, at string) { f.Symlinks = p.symlinks(n, at) }),
		"entrypoint": required(list(p.decoder, &f.Entrypoint, parseString)),
		"cmd":        optional(list(p.decoder, &f.Cmd, parseString)),
		"env":        optional(pairs(p.decoder, &f.Env, checkEnv)),
		"labels":     optional(pairs(p.decoder, &f.Labels, checkLabel)),
		"user":       optional(into(p.decoder, &f.User, parseString)),
		"workdir":    optional(into(p.decoder, &f.WorkingDir, parsePath)),
		"base":       optional(p.flavorBases(&f.Bases)),
		"packages":   optional(into(p.decoder, &f.Packages, parseName)),
	})
	p.m.Flavors = append(p.m.Flavors, f)
}

func (p *manifestParser) flavorFile(tag string, n *yaml.Node, at string) FlavorFile {
	file := FlavorFile{Mode: 0o755}
	p.nodes[at] = n
	p.object(n, at, map[string]field{
		"path":     required(into(p.decoder, &file.Path, parseImagePath)),
		"mode":     optional(into(p.decoder, &file.Mode, parseMode)),
		"versions": optional(into(p.decoder, &file.Versions, parseConstraint)),
		"source": required(func(n *yaml.Node, at string) {
			if n.Kind != yaml.SequenceNode {
				var c SourceChoice
				into(p.decoder, &c, parseSourceRef)(n, at)
				file.Sources = []SourceChoice{c}
				return
			}
			p.items(n, at, func(n *yaml.Node, at string) { file.Sources = append(file.Sources, p.choice(tag, n, at)) })
			if len(n.Content) == 0 {
				p.errorf(n, at, "must not be empty")
			}
		}),
	})
	return file
}

func (p *manifestParser) choice(tag string, n *yaml.Node, at string) SourceChoice {
	var file, c SourceChoice
	p.object(n, at, map[string]field{
		"file":     required(into(p.decoder, &file, parseSourceRef)),
		"versions": optional(into(p.decoder, &c.Versions, parseConstraint)),
		"minTags":  optional(list(p.decoder, &c.MinTags, func(s string) (Revision, error) { return ParseTag(tag, s) })),
	})
	c.Source, c.File = file.Source, file.File
	return c
}

// links reads a mapping of symlinks: paths to targets.
func (p *manifestParser) links(to *[]Symlink) reader {
	return func(n *yaml.Node, at string) {
		var read []Pair
		pairs(p.decoder, &read, func(l Pair) error {
			_, err := parseImagePath(l.Key)
			return err
		})(n, at)
		for _, l := range read {
			*to = append(*to, Symlink{Path: l.Key, Target: l.Value})
		}
	}
}

// symlinks reads a mapping of symlinks, or a list of groups of them.
func (p *manifestParser) symlinks(n *yaml.Node, at string) []Symlinks {
	if n.Kind != yaml.SequenceNode {
		var g Symlinks
		p.links(&g.Links)(n, at)
		return []Symlinks{g}
	}
	var groups []Symlinks
	names := map[string]bool{}
	p.items(n, at, func(n *yaml.Node, at string) {
		var g Symlinks
		p.object(n, at, map[string]field{
			"name":     required(into(p.decoder, &g.Name, parseName)),
			"versions": optional(into(p.decoder, &g.Versions, parseConstraint)),
			"links":    required(p.links(&g.Links)),
		})
		if names[g.Name] {
			p.errorf(n, at+".name", "duplicate group %q", g.Name)
		}
		names[g.Name] = true
		groups = append(groups, g)
	})
	return groups
}
