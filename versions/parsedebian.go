package versions

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Parsers of the section debian.
var (
	parseCodename = matching(`^[a-z]{3,20}$`, "the codename of a Debian release like trixie")
	// The names and versions that Debian's policy allows.
	parsePackageName    = matching(`^[a-z0-9][a-z0-9+.-]+$`, "the name of a Debian package")
	parsePackageVersion = matching(`^([0-9]+:)?[0-9][A-Za-z0-9.+~-]*$`, "the version of a Debian package")
	parsePattern        = matching(`^(/[A-Za-z0-9._+@,~*-]+)+$`, "a pattern of paths: want an absolute path, in which * and ** match")
	parseDirMode        = matching(`^[0-7]{4}$`, `a mode: want four octal digits in quotes, "0755"`)
	parseAlternative    = matching(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`, "the name of an alternative")
)

// debian reads the section debian.
func (p *manifestParser) debian(n *yaml.Node, at string) {
	d := &Debian{}
	p.object(n, at, map[string]field{
		"suite": required(into(p.decoder, &d.Suite, func(s string) (string, error) {
			if strings.HasSuffix(s, "stable") || s == "testing" {
				return s, fmt.Errorf("%q is another release from time to time: want a codename like trixie", s)
			}
			return parseCodename(s)
		})),
		"exclude": optional(list(p.decoder, &d.Exclude, parsePattern)),
		"include": optional(list(p.decoder, &d.Include, parsePattern)),
		"sets": required(func(n *yaml.Node, at string) {
			p.entries(n, at, func(key string, k, v *yaml.Node) { d.Sets = append(d.Sets, p.packageSet(key, k, v, join(at, key))) })
			slices.SortFunc(d.Sets, func(a, b DebianSet) int { return cmp.Compare(a.Name, b.Name) })
		}),
	})
	p.m.Debian = d
}

func (p *manifestParser) packageSet(name string, k, n *yaml.Node, at string) DebianSet {
	s := DebianSet{PackageSet: PackageSet{Name: name}}
	p.nodes[at] = k
	if _, err := parseName(name); err != nil {
		p.errorf(k, at, "%v", err)
	}
	p.object(n, at, map[string]field{
		"extends":      optional(into(p.decoder, &s.Extends, parseName)),
		"optional":     optional(p.boolean(&s.Optional)),
		"packages":     required(list(p.decoder, &s.Requires, parsePackageName)),
		"files":        optional(p.addedFiles(&s.Files)),
		"directories":  optional(p.addedDirs(&s.Directories)),
		"symlinks":     optional(p.links(&s.Symlinks)),
		"alternatives": optional(p.alternatives(&s.Alternatives)),
		"owners": optional(func(n *yaml.Node, at string) {
			var owners []Pair
			pairs(p.decoder, &owners, func(o Pair) error {
				if _, err := parsePath(o.Key); err != nil {
					return err
				}
				_, err := parsePackageName(o.Value)
				return err
			})(n, at)
			s.Owners = toMap(owners)
		}),
	})
	return s
}

func toMap(pairs []Pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value
	}
	return m
}

// paths reads a mapping whose keys are paths, in their order.
func (p *manifestParser) paths(n *yaml.Node, at string, each func(key string, v *yaml.Node, at string)) {
	p.entries(n, at, func(key string, k, v *yaml.Node) {
		at := join(at, key)
		if _, err := parseImagePath(key); err != nil {
			p.errorf(k, at, "%v", err)
		}
		each(key, v, at)
	})
}

// addedFiles reads files by path.
func (p *manifestParser) addedFiles(to *[]AddedFile) reader {
	return func(n *yaml.Node, at string) {
		p.paths(n, at, func(key string, n *yaml.Node, at string) {
			f := AddedFile{Path: key, Mode: 0o644}
			content := false
			p.object(n, at, map[string]field{
				"from": optional(into(p.decoder, &f.From, parsePattern)),
				"content": optional(func(n *yaml.Node, at string) {
					content = true
					f.Content = p.multiline(n, at)
				}),
				"mode": optional(into(p.decoder, &f.Mode, parseMode)),
			})
			if !content && scalar(n, "from") == "" && n.Kind == yaml.MappingNode {
				p.errorf(n, at, "want from, content or both")
			}
			*to = append(*to, f)
		})
		slices.SortFunc(*to, func(a, b AddedFile) int { return cmp.Compare(a.Path, b.Path) })
	}
}

// multiline reads a string of printable ASCII, tabs and newlines, which may be empty.
func (p *manifestParser) multiline(n *yaml.Node, at string) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.errorf(n, at, "want a string, got %s", describe(n))
		return ""
	}
	if strings.ContainsFunc(n.Value, func(r rune) bool { return (r < ' ' || r > '~') && r != '\n' && r != '\t' }) {
		p.errorf(n, at, "%.40q has characters outside printable ASCII, tab and newline", n.Value)
	}
	return n.Value
}

// addedDirs reads directories: paths to modes, or to objects with mode and owner.
func (p *manifestParser) addedDirs(to *[]AddedDir) reader {
	return func(n *yaml.Node, at string) {
		p.paths(n, at, func(key string, n *yaml.Node, at string) {
			var mode string
			d := AddedDir{Path: key}
			readMode := into(p.decoder, &mode, parseDirMode)
			if n.Kind == yaml.MappingNode {
				p.object(n, at, map[string]field{
					"mode":  required(readMode),
					"owner": required(into(p.decoder, &d, d.parseOwner)),
				})
			} else {
				readMode(n, at)
			}
			for _, digit := range mode {
				d.Mode = d.Mode*8 + int64(digit-'0')
			}
			*to = append(*to, d)
		})
		slices.SortFunc(*to, func(a, b AddedDir) int { return cmp.Compare(a.Path, b.Path) })
	}
}

// parseOwner returns the directory with the owner "UID:GID".
func (d AddedDir) parseOwner(s string) (AddedDir, error) {
	user, group, _ := strings.Cut(s, ":")
	uid, err := strconv.ParseUint(user, 10, 16)
	gid, errGroup := strconv.ParseUint(group, 10, 16)
	if err != nil || errGroup != nil {
		return d, fmt.Errorf(`%q is not an owner: want ids of user and group up to 65535 in quotes, "101:65534"`, s)
	}
	d.UID, d.GID = int(uid), int(gid)
	return d, nil
}

// alternatives reads groups of update-alternatives.
func (p *manifestParser) alternatives(to *[]Alternative) reader {
	return func(n *yaml.Node, at string) {
		p.items(n, at, func(n *yaml.Node, at string) {
			var a Alternative
			p.object(n, at, map[string]field{
				"name": required(into(p.decoder, &a.Name, parseAlternative)),
				"link": required(into(p.decoder, &a.Link, parseImagePath)),
				"slaves": optional(func(n *yaml.Node, at string) {
					var links []Pair
					pairs(p.decoder, &links, checkAlternativeLink)(n, at)
					for _, l := range links {
						a.Slaves = append(a.Slaves, AlternativeSlave{Name: l.Key, Link: l.Value})
					}
				}),
				"choices": required(func(n *yaml.Node, at string) {
					p.items(n, at, func(n *yaml.Node, at string) {
						var c AlternativeChoice
						p.object(n, at, map[string]field{
							"path":     required(into(p.decoder, &c.Path, parseImagePath)),
							"priority": required(func(n *yaml.Node, at string) { c.Priority = p.integer(n, at) }),
							"slaves": optional(func(n *yaml.Node, at string) {
								var links []Pair
								pairs(p.decoder, &links, checkAlternativeLink)(n, at)
								c.Slaves = toMap(links)
							}),
						})
						a.Choices = append(a.Choices, c)
					})
				}),
				"choose": required(into(p.decoder, &a.Choose, parseImagePath)),
			})
			if a.Choose != "" && !slices.ContainsFunc(a.Choices, func(c AlternativeChoice) bool { return c.Path == a.Choose }) {
				p.errorf(n, at+".choose", "%q is not the path of a choice", a.Choose)
			}
			for i, c := range a.Choices {
				for _, name := range sortedKeys(c.Slaves) {
					if !slices.ContainsFunc(a.Slaves, func(s AlternativeSlave) bool { return s.Name == name }) {
						p.errorf(n, fmt.Sprintf("%s.choices[%d].slaves.%s", at, i, name), "%q has no such slave", a.Name)
					}
				}
			}
			*to = append(*to, a)
		})
	}
}

func checkAlternativeLink(l Pair) error {
	if _, err := parseAlternative(l.Key); err != nil {
		return err
	}
	_, err := parseImagePath(l.Value)
	return err
}

// validateDebian checks the references between sets, and from flavors to sets.
func (p *manifestParser) validateDebian() {
	d := p.m.Debian
	if d == nil {
		d = &Debian{}
	}
	for _, f := range p.m.Flavors {
		at := "flavors." + f.Name
		switch {
		case f.Packages == "":
		case d.Chain(f.Packages) == nil:
			p.errorf(p.nodes[at], at+".packages", "unknown set %q of debian.sets", f.Packages)
		case len(f.Bases) > 0:
			p.errorf(p.nodes[at], at+".packages", "want either packages or base")
		default:
			p.validateBelowSymlinks(f, at)
		}
	}
	for _, s := range d.Sets {
		at := "debian.sets." + s.Name
		chain := d.Chain(s.Name)
		switch {
		case chain == nil:
			p.errorf(p.nodes[at], at+".extends", "%q is not a set of debian.sets, or extends none", s.Extends)
		case len(chain) > len(d.Sets):
			p.errorf(p.nodes[at], at+".extends", "%q extends %q itself", s.Extends, s.Name)
		default:
			p.validateChain(chain, at)
		}
	}
}

// validateChain finds duplicates of the last set of a chain in the chain.
func (p *manifestParser) validateChain(chain []DebianSet, at string) {
	taken := map[string]string{}
	last := chain[len(chain)-1]
	for _, s := range chain {
		var names []string
		for _, name := range s.Requires {
			names = append(names, "package "+name)
		}
		for _, f := range s.Files {
			names = append(names, "path "+f.Path)
		}
		for _, f := range s.Directories {
			names = append(names, "path "+f.Path)
		}
		for _, f := range s.Symlinks {
			names = append(names, "path "+f.Path)
		}
		for _, a := range s.Alternatives {
			names = append(names, "alternative "+a.Name, "path "+a.Link)
			for _, l := range a.Slaves {
				names = append(names, "alternative "+l.Name, "path "+l.Link)
			}
		}
		for _, name := range names {
			if other, dup := taken[name]; dup && s.Name == last.Name {
				p.errorf(p.nodes[at], at, "duplicate %s, also of set %q", name, other)
			}
			taken[name] = s.Name
		}
	}
}

// mergedUsr matches paths in the directories that are symlinks to those in /usr, and
// in /var/run.
var mergedUsr = regexp.MustCompile(`^/(s?bin|lib[a-z0-9]*|var/run)/`)

// validateBelowSymlinks finds files of a flavor in directories that are symlinks in
// the layers of packages. A layer would replace the symlink by a directory.
func (p *manifestParser) validateBelowSymlinks(f Flavor, at string) {
	check := func(field, file string) {
		if mergedUsr.MatchString(file) {
			fix := path.Join("/usr", file)
			if rest, ok := strings.CutPrefix(file, "/var/run/"); ok {
				fix = "/run/" + rest
			}
			p.errorf(p.nodes[at], at+field, "%q is below a symlink of the packages. Fix: %q", file, fix)
		}
	}
	check(".pins", f.Pins)
	for i, file := range f.Files {
		check(fmt.Sprintf(".files[%d].path", i), file.Path)
	}
	for _, group := range f.Symlinks {
		for _, link := range group.Links {
			check(".symlinks", link.Path)
		}
	}
}
