package imagevector

import (
	"cmp"
	"fmt"
	"strings"
)

// Environment variables with the paths of overwrites, as in Gardener.
const (
	OverwriteEnv           = "IMAGEVECTOR_OVERWRITE"
	ComponentsOverwriteEnv = "IMAGEVECTOR_OVERWRITE_COMPONENTS"
)

// key identifies an entry. An entry of an overwrite is merged into the entry with the
// same key. Keys are compared as text: ">=1.21" differs from ">= 1.21", and
// [arm64, amd64] from [amd64, arm64].
type key struct {
	name, runtime, target, architectures string
	limited                              bool // Architectures is not nil
}

func keyOf(s *Source) key {
	k := key{name: s.Name, architectures: strings.Join(s.Architectures, ""), limited: s.Architectures != nil}
	if s.RuntimeVersion != nil {
		k.runtime = *s.RuntimeVersion
	}
	if s.TargetVersion != nil {
		k.target = *s.TargetVersion
	}
	return k
}

// SameKey reports whether entry a of an overwrite is merged into entry b of a
// vector, rather than added. Their names, constraints and architectures must be
// equal as text.
func SameKey(a, b Source) bool { return keyOf(&a) == keyOf(&b) }

// Merge merges lists of entries, as Gardener does. The fields of an entry replace
// those of an earlier entry with the same key, see [SameKey]. Other entries are
// appended.
func Merge(lists ...[]Source) []Source {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	out := make([]Source, 0, n)
	at := make(map[key]int, n)
	for _, list := range lists {
		for i := range list {
			k := keyOf(&list[i])
			if j, ok := at[k]; ok {
				out[j] = merged(&out[j], &list[i])
				continue
			}
			at[k] = len(out)
			out = append(out, list[i].clone())
		}
	}
	return out
}

// merged returns old with the fields of over. Both have the same key.
func merged(old, over *Source) Source {
	s := over.clone()
	s.RuntimeVersion = cmp.Or(s.RuntimeVersion, old.RuntimeVersion)
	s.TargetVersion = cmp.Or(s.TargetVersion, old.TargetVersion)
	s.Repository = cmp.Or(s.Repository, old.Repository)
	s.Tag = cmp.Or(s.Tag, old.Tag)
	s.Version = cmp.Or(s.Version, old.Version)
	// Gardener keeps the old tag as the version if the tag changes.
	if s.Version == nil && s.Tag != nil {
		s.Version = old.Tag
	}
	if s.Ref == nil && over.Repository == nil {
		s.Ref = old.Ref
	}
	if s.Ref != nil {
		s.Repository, s.Tag = nil, nil
	}
	return s
}

// Overwrite returns v with the entries of over merged into its own, see [Merge], and
// with the certificates of over if it has any. An entry of over that is not merged
// is added, and may never be chosen; package lint reports it.
func (v *Vector) Overwrite(over *Vector) *Vector {
	ca := v.ca
	if over.ca != nil {
		ca = over.ca
	}
	return compile(Merge(v.sources, over.sources), ca, v.config)
}

// OverwriteFromEnv overwrites v with the file whose path is in an environment
// variable, such as [OverwriteEnv]. It returns v if the variable is not set. The file
// is read with the options of v.
func (v *Vector) OverwriteFromEnv(getenv func(string) string, variable string) (*Vector, error) {
	file := getenv(variable)
	if file == "" {
		return v, nil
	}
	c := v.config
	c.overwrite, c.file = true, ""
	if !c.compatible {
		c.generation = v.Generation()
	}
	over, err := readFile(file, "image vector", c, parse)
	if err != nil {
		if v.config.compatible {
			return nil, err
		}
		return nil, fmt.Errorf("overwriting images from $%s: %w", variable, err)
	}
	return v.Overwrite(over), nil
}
