package packagelayer

import (
	"path"
	"slices"
	"strings"
)

// aliases are the directories that merged usr replaces by links to those of the same
// name in /usr.
var aliases = []string{"bin", "lib", "lib32", "lib64", "libx32", "sbin"}

// canonical returns the path of a file below /usr if its directory is an alias.
func canonical(p string) string {
	first, rest, _ := strings.Cut(p[1:], "/")
	if slices.Contains(aliases, first) {
		return path.Join("/usr", first, rest)
	}
	return p
}

// isAliasLink reports whether a symlink is one of merged usr.
func isAliasLink(p, target string) bool {
	name := p[1:]
	return slices.Contains(aliases, name) && (target == "usr/"+name || target == "/usr/"+name)
}

// moveTarget returns the target of a symlink after its path has changed.
func moveTarget(target, from, to string) string {
	if from == to || path.IsAbs(target) {
		return target
	}
	want := canonical(path.Join(path.Dir(from), target))
	if path.Join(path.Dir(to), target) == want {
		return target
	}
	return want
}
