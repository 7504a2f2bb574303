package imagevector

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// The fields of an entry, as indices of [nodes] and [entryKeys].
const (
	fieldName = iota
	fieldRepository
	fieldTag
	fieldRef
	fieldVersion
	fieldRuntimeVersion
	fieldTargetVersion
	fieldArchitectures
	fieldCount
)

// entryKeys returns the keys of an entry: those of its fields, then those for other
// tools, which are ignored.
func entryKeys() []string {
	return []string{
		"name", "repository", "tag", "ref", "version", "runtimeVersion", "targetVersion", "architectures",
		"sourceRepository", "labels", "resourceId", "extraIdentity",
	}
}

// nodes are the values of the fields of an entry; nil for an absent field.
type nodes [fieldCount]*yaml.Node

func parseStrict(data []byte, c config) (*Vector, error) {
	r := &reader{config: c}
	root, err := r.strictTree(data)
	if err != nil {
		return nil, err
	}
	var (
		sources []Source
		ca      *CABundle
	)
	for _, p := range r.mapping(root, "", "images", "caBundle") {
		switch p.name {
		case "images":
			sources = r.entries(p.value)
		case "caBundle":
			ca = r.bundle(p.value)
		}
	}
	v := compile(sources, ca, r.config)
	v.checkChoices(&r.problems)
	if err := r.problems.sorted(); err != nil {
		return nil, err
	}
	return v, nil
}

// entries reads all entries, including those with problems, because the checks of
// the others depend on them.
func (r *reader) entries(n *yaml.Node) []Source {
	items := r.list(n, "images")
	sources := make([]Source, 0, len(items))
	values := make([]nodes, 0, len(items))
	for i, item := range items {
		s, at := r.entry(item, i)
		sources, values = append(sources, s), append(values, at)
	}
	if r.config.generation == Auto {
		r.config.generation = GenerationOf(sources)
	}
	for i := range sources {
		s := &sources[i]
		switch {
		case r.config.generation == Oldest:
			s.upgrade()
			if values[i][fieldRuntimeVersion] == nil && values[i][fieldTargetVersion] == nil {
				values[i][fieldRuntimeVersion] = values[i][fieldVersion]
			}
		case s.Version != nil && looksLikeConstraint(*s.Version):
			r.problem(values[i][fieldVersion], indexed("images", i)+".version",
				`%q is a constraint, but "version" is the version of the image: use targetVersion or runtimeVersion`, *s.Version)
		}
		if target(items[i]).Kind == yaml.MappingNode {
			checkSource(&r.problems, s, &values[i], i)
		}
	}
	return sources
}

// entry reads one entry.
func (r *reader) entry(n *yaml.Node, i int) (s Source, at nodes) {
	s.Position = r.position(n)
	field := indexed("images", i)
	if isNull(target(n)) {
		r.problem(n, field, "null entry: Gardener panics")
		return s, at
	}
	optional := [fieldCount]**string{
		fieldRepository: &s.Repository, fieldTag: &s.Tag, fieldRef: &s.Ref,
		fieldVersion: &s.Version, fieldRuntimeVersion: &s.RuntimeVersion, fieldTargetVersion: &s.TargetVersion,
	}
	keys := entryKeys()
	for _, p := range r.mapping(n, field, keys...) {
		f := slices.Index(keys, p.name)
		if f >= fieldCount {
			r.duplicates(p.value, join(field, p.name))
			continue
		}
		at[f] = p.value
		switch f {
		case fieldName:
			s.Name, _ = r.text(p.value, field, p.name)
		case fieldArchitectures:
			s.Architectures = []string{}
			for j, item := range r.list(p.value, join(field, p.name)) {
				if name, ok := r.text(item, indexed(join(field, p.name), j), ""); ok {
					s.Architectures = append(s.Architectures, name)
				}
			}
		default:
			if text, ok := r.text(p.value, field, p.name); ok {
				*optional[f] = &text
			}
		}
	}
	return s, at
}

func (r *reader) bundle(n *yaml.Node) *CABundle {
	ca := &CABundle{}
	for _, p := range r.mapping(n, "caBundle", "inline") {
		text, ok := r.text(p.value, "caBundle", "inline")
		if !ok {
			continue
		}
		ca.Inline = &text
		if wrong := checkBundle(text, r.config.now()); wrong != "" {
			r.problem(p.value, "caBundle.inline", "%s", wrong)
		}
	}
	if target(n).Kind == yaml.MappingNode {
		r.missing(n, "caBundle", "inline")
	}
	return ca
}
