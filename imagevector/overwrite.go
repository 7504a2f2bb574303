package imagevector

import (
	"fmt"
	"strings"
)

// The environment variables that name the files of overwrites.
const (
	OverwriteEnv           = "IMAGEVECTOR_OVERWRITE"
	ComponentsOverwriteEnv = "IMAGEVECTOR_OVERWRITE_COMPONENTS"
)

// key is what an overwrite must share with an entry to be merged into it, letter
// by letter: ">=1.21" is not ">= 1.21", and [arm64, amd64] not [amd64, arm64].
type key struct {
	name, runtime, target, architectures string
	limited                              bool // has architectures at all
}

func keyOf(s *Source) key {
	k := key{name: s.Name, limited: s.Architectures != nil}
	if s.RuntimeVersion != nil {
		k.runtime = *s.RuntimeVersion
	}
	if s.TargetVersion != nil {
		k.target = *s.TargetVersion
	}
	if k.limited {
		k.architectures = strings.Join(s.Architectures, "")
	}
	return k
}

// SameKey tells whether an overwrite with entry a would be merged into entry b,
// rather than stand beside it.
func SameKey(a, b Source) bool { return keyOf(&a) == keyOf(&b) }

// Merge merges lists of entries, the later over the earlier. An entry with the
// name, the constraints and the architectures of an earlier one, all letter by
// letter, replaces the fields that it has; every other one is appended.
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

// merged lays the fields of over onto old. Both have the same key.
func merged(old, over *Source) Source {
	s := over.clone()
	if s.RuntimeVersion == nil {
		s.RuntimeVersion = old.RuntimeVersion
	}
	if s.TargetVersion == nil {
		s.TargetVersion = old.TargetVersion
	}
	if s.Repository == nil {
		s.Repository = old.Repository
	}
	if s.Tag == nil {
		s.Tag = old.Tag
	}
	if s.Version == nil {
		s.Version = old.Version
	}
	// Odd, but so it is: a new tag leaves the old tag behind as the version.
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

// Overwrite returns the vector with the entries and the certificates of another
// laid over its own, as Gardener does it. An entry of over that shares its key
// with none of v is added, and may well never be chosen: package lint tells.
func (v *Vector) Overwrite(over *Vector) *Vector {
	ca := v.ca
	if over.ca != nil {
		ca = over.ca
	}
	return compile(Merge(v.sources, over.sources), ca, v.config)
}

// OverwriteFromEnv overwrites v with the file that an environment variable
// names, [OverwriteEnv] for one, and returns v if it is not set. The file is read
// with the options of v.
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
	over, err := readFile(file, c)
	if err != nil {
		if v.config.compatible {
			return nil, err
		}
		return nil, fmt.Errorf("overwriting images by $%s: %w", variable, err)
	}
	return v.Overwrite(over), nil
}
