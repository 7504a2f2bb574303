package versions

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// flavorBases reads the base images of a flavor.
func (p *manifestParser) flavorBases(to *[]Base) reader {
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
			p.errorf(n, at, "must not be empty; omit it for images on scratch")
		}
	}
}

func parseBase(s string) (ImageRef, error) {
	if s == scratch {
		return ImageRef{}, nil
	}
	return ParseImageRef(s)
}

// validateBases checks that exactly one base matches each release of a flavor with
// bases. An image on scratch must be declared, because it is often a mistake.
func (p *manifestParser) validateBases() {
	for _, f := range p.m.Flavors {
		if len(f.Bases) == 0 {
			continue
		}
		var order []string // of byMatch: "", or several bases
		byMatch := map[string][]Version{}
		for _, r := range f.releases(p.m) {
			var matching []string
			for i, b := range f.Bases {
				if matches(b.Versions, r.Version) {
					matching = append(matching, fmt.Sprintf("base[%d]", i))
				}
			}
			if len(matching) == 1 {
				continue
			}
			match := strings.Join(matching, " and ")
			if byMatch[match] == nil {
				order = append(order, match)
			}
			byMatch[match] = append(byMatch[match], r.Version)
		}
		at := "flavors." + f.Name
		for _, match := range order {
			releases := ranges(p.m.Releases, byMatch[match])
			if match == "" {
				p.errorf(p.nodes[at], at+".base", "no base matches %s; use image: scratch for images without a base", releases)
			} else {
				p.errorf(p.nodes[at], at+".base", "%s match %s; want exactly one base", match, releases)
			}
		}
	}
}

// ranges formats some of all releases, both sorted, as ranges of consecutive
// releases: "v1.24.11 to v1.24.17, v1.25.7".
func ranges(all []Release, some []Version) string {
	var ranges []string
	for i := 0; i < len(some); {
		at := slices.IndexFunc(all, func(r Release) bool { return r.Version == some[i] })
		n := 1
		for i+n < len(some) && at+n < len(all) && all[at+n].Version == some[i+n] {
			n++
		}
		text := some[i].String()
		if n > 1 {
			text += " to " + some[i+n-1].String()
		}
		ranges = append(ranges, text)
		i += n
	}
	return strings.Join(ranges, ", ")
}
