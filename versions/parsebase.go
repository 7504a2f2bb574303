package versions

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// flavorBases reads the list of what a flavor is built upon.
func (p *manifestParser) flavorBases(to *[]Base) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		p.items(n, at, func(n *yaml.Node, at string) {
			var b Base
			p.object(n, at, map[string]field{
				"versions": required(into(p.decoder, &b.Versions, parseConstraint)),
				"image":    required(into(p.decoder, &b.Image, parseBase)),
			})
			*to = append(*to, b)
		})
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			p.errorf(n, at, "names none; leave it out for images on scratch")
		}
	}
}

func parseBase(s string) (ImageRef, error) {
	if s == scratch {
		return ImageRef{}, nil
	}
	return ParseImageRef(s)
}

// bases wants exactly one base for each release of a flavor that names any, so
// that no image is on scratch because somebody forgot it.
func (p *manifestParser) bases() {
	for _, f := range p.m.Flavors {
		if len(f.Bases) == 0 {
			continue
		}
		var order []string // of the faults
		faults := map[string][]Version{}
		for _, r := range p.m.Releases {
			if !admits(f.Versions, r.Version) {
				continue
			}
			var meant []string
			for i, b := range f.Bases {
				if admits(b.Versions, r.Version) {
					meant = append(meant, fmt.Sprintf("base[%d]", i))
				}
			}
			if len(meant) == 1 {
				continue
			}
			fault := strings.Join(meant, " and ")
			if faults[fault] == nil {
				order = append(order, fault)
			}
			faults[fault] = append(faults[fault], r.Version)
		}
		at := "flavors." + f.Name
		for _, fault := range order {
			which := rows(p.m.Releases, faults[fault])
			if fault == "" {
				p.errorf(p.at[at], at+".base", "none is meant for %s; say image: scratch where that is wanted", which)
			} else {
				p.errorf(p.at[at], at+".base", "%s are meant for %s; want one alone", fault, which)
			}
		}
	}
}
