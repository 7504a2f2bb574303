package imagevector

import (
	"fmt"
	"slices"
	"strings"
)

// Registry splits an image reference into registry and path. A first component
// without a dot or port is not a registry: "example/pause" is at docker.io.
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

// A Rule replaces a prefix of image references, a registry with or without a path.
type Rule struct{ From, To string }

// ParseRule parses "FROM=TO". FROM may be "*" for every image; its registry then
// becomes part of its path.
func ParseRule(text string) (Rule, error) {
	from, to, ok := strings.Cut(text, "=")
	r := Rule{strings.TrimSuffix(from, "/"), strings.TrimSuffix(to, "/")}
	first, _, _ := strings.Cut(r.From, "/")
	switch {
	case !ok || r.From == "" || r.To == "":
		return Rule{}, fmt.Errorf(`parsing rule %q: want FROM=TO, as in "registry.k8s.io=registry.example.com/k8s"`, text)
	case r.From != "*" && !repositoryForm.MatchString(r.From+"/x"):
		return Rule{}, fmt.Errorf("parsing rule %q: invalid registry or path %q", text, r.From)
	case r.From != "*" && !isRegistry(first):
		return Rule{}, fmt.Errorf("parsing rule %q: %q is not a registry: did you mean docker.io/%s?", text, first, r.From)
	case !repositoryForm.MatchString(r.To + "/x"):
		return Rule{}, fmt.Errorf("parsing rule %q: invalid registry or path %q", text, r.To)
	}
	return r, nil
}

// Rules are a set of rules. The one with the longest From that matches applies.
type Rules []Rule

// Apply applies the rules to an image reference, with or without tag and digest. ok
// is false if no rule matches.
func (rules Rules) Apply(image string) (rewritten string, ok bool) {
	repository, tag, digest := splitReference(image)
	registry, path := Registry(repository)
	full := registry + "/" + path
	best := -1
	for i, r := range rules {
		matches := r.From == "*" || full == r.From || strings.HasPrefix(full, r.From+"/")
		if matches && (best < 0 || len(rules[best].From) < len(r.From)) { // "*" is the shortest
			best = i
		}
	}
	if best < 0 {
		return image, false
	}
	r := rules[best]
	if r.From == "*" {
		// A path cannot have a colon.
		return r.To + "/" + strings.ReplaceAll(registry, ":", "_") + "/" + path + tag + digest, true
	}
	return r.To + strings.TrimPrefix(full, r.From) + tag + digest, true
}

// Unused returns the rules that match none of the images, disregarding other rules.
func (rules Rules) Unused(images []string) []Rule {
	var unused []Rule
	for _, r := range rules {
		if !slices.ContainsFunc(images, func(image string) bool { _, ok := Rules{r}.Apply(image); return ok }) {
			unused = append(unused, r)
		}
	}
	return unused
}

// Rewrite returns the overwrite that applies the rules to the images of v, and the
// entries of v that match no rule. Each entry of the overwrite has the key of an
// entry of v, so it is merged and effective. Entries of v that are never chosen, or
// that a rule does not change, are omitted. The overwrite is of the generation of v.
func (v *Vector) Rewrite(rules Rules) (overwrite, unmatched []Source) {
	sources := Merge(v.sources)
	never := compile(sources, nil, v.config).neverChosen()
	for i := range sources {
		s := &sources[i]
		if never[i] {
			continue
		}
		o := Source{Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: slices.Clone(s.Architectures)}
		image, field := s.Ref, &o.Ref
		if image == nil {
			image, field = s.Repository, &o.Repository
		}
		rewritten, ok := "", image != nil
		if ok {
			rewritten, ok = rules.Apply(*image)
		}
		switch {
		case !ok:
			unmatched = append(unmatched, s.clone())
		case rewritten != *image: // an unchanged entry would have no effect
			*field = &rewritten
			overwrite = append(overwrite, o.ToGeneration(v.config.generation))
		}
	}
	return overwrite, unmatched
}
