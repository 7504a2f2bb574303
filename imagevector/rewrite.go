package imagevector

import (
	"fmt"
	"slices"
	"strings"
)

// Registry returns the registry that an image is pulled from, and its path there.
// A first part without a dot or a port is no registry: "example/pause" is pulled
// from docker.io.
func Registry(image string) (registry, path string) {
	first, rest, several := strings.Cut(image, "/")
	switch {
	case first == "index.docker.io" || first == "registry-1.docker.io": // its other names
		return "docker.io", rest
	case several && isRegistry(first):
		return first, rest
	case several:
		return "docker.io", image
	}
	return "docker.io", "library/" + image
}

func isRegistry(first string) bool { return strings.ContainsAny(first, ".:") || first == "localhost" }

// A Rule moves images from one place to another: a registry, or a registry and
// the beginning of a path.
type Rule struct{ From, To string }

// ParseRule reads "FROM=TO". FROM may be "*" for every image; the registry it had
// then becomes a part of its path.
func ParseRule(text string) (Rule, error) {
	from, to, ok := strings.Cut(text, "=")
	r := Rule{strings.TrimSuffix(from, "/"), strings.TrimSuffix(to, "/")}
	first, _, _ := strings.Cut(r.From, "/")
	switch {
	case !ok || r.From == "" || r.To == "":
		return Rule{}, fmt.Errorf(`parsing rule %q: want FROM=TO, as in "registry.k8s.io=registry.example.com/k8s"`, text)
	case r.From != "*" && !repositoryForm.MatchString(r.From+"/x"):
		return Rule{}, fmt.Errorf("parsing rule %q: %q is no registry, nor a registry and a path", text, r.From)
	case r.From != "*" && !isRegistry(first):
		return Rule{}, fmt.Errorf("parsing rule %q: %q is no registry: write docker.io/%s for what is there", text, first, r.From)
	case !repositoryForm.MatchString(r.To + "/x"):
		return Rule{}, fmt.Errorf("parsing rule %q: %q is no registry, nor a registry and a path", text, r.To)
	}
	return r, nil
}

// Rules are tried from the longest From to the shortest.
type Rules []Rule

// Apply moves an image, with or without tag and digest; ok is false if no rule
// is for it.
func (rules Rules) Apply(image string) (moved string, ok bool) {
	repository, suffix := image, ""
	if i := strings.IndexByte(repository, '@'); i >= 0 {
		repository, suffix = repository[:i], repository[i:]
	}
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, suffix = repository[:i], repository[i:]+suffix
	}
	registry, path := Registry(repository)
	full := registry + "/" + path
	best := -1
	for i, r := range rules {
		fits := r.From == "*" || full == r.From || strings.HasPrefix(full, r.From+"/")
		if fits && (best < 0 || rules[best].weight() < r.weight()) {
			best = i
		}
	}
	if best < 0 {
		return image, false
	}
	r := rules[best]
	if r.From == "*" {
		// A port cannot stand inside a path.
		return r.To + "/" + strings.ReplaceAll(registry, ":", "_") + "/" + path + suffix, true
	}
	return r.To + strings.TrimPrefix(full, r.From) + suffix, true
}

// Unused returns the rules that no image is below, be it that another rule is
// longer.
func (rules Rules) Unused(images []string) []Rule {
	var unused []Rule
	for _, r := range rules {
		if !slices.ContainsFunc(images, func(image string) bool { _, ok := Rules{r}.Apply(image); return ok }) {
			unused = append(unused, r)
		}
	}
	return unused
}

func (r Rule) weight() int {
	if r.From == "*" {
		return 0
	}
	return len(r.From)
}

// Rewrite returns the overwrite that moves the images of v by the rules, and the
// entries that no rule is for. Each entry of the overwrite has the key of the one
// that it is for, and so is merged into it: it takes effect wherever that one is
// chosen. Entries of v that are never chosen are left out, and those that the rules
// leave where they are. The overwrite is of the generation of v.
func (v *Vector) Rewrite(rules Rules) (overwrite, left []Source) {
	sources := Merge(v.sources)
	never := compile(sources, nil, v.config).neverChosen()
	for i := range sources {
		s := &sources[i]
		if never[i] {
			continue
		}
		o := Source{Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: slices.Clone(s.Architectures)}
		var image, moved string
		var ok bool
		switch {
		case s.Ref != nil:
			image = *s.Ref
			moved, ok = rules.Apply(image)
			o.Ref = &moved
		case s.Repository != nil:
			image = *s.Repository
			moved, ok = rules.Apply(image)
			o.Repository = &moved
		}
		if ok && moved == image {
			continue // is there already, and an entry that says so would have no effect
		}
		if ok {
			overwrite = append(overwrite, o.ToGeneration(v.config.generation))
		} else {
			left = append(left, s.clone())
		}
	}
	return overwrite, left
}
