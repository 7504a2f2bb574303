// Package cachedir names the folder that everything fetched or built on this
// machine is kept in between runs.
package cachedir

import (
	"errors"
	"path/filepath"
)

// Dir returns $HYPERKUBE_CACHE, or hyperkube in the user's cache folder
// ($XDG_CACHE_HOME, or .cache at home). The path is absolute.
func Dir(getenv func(string) string) (string, error) {
	dir := getenv("HYPERKUBE_CACHE")
	if dir == "" {
		base := getenv("XDG_CACHE_HOME")
		if base == "" {
			home := getenv("HOME")
			if home == "" {
				return "", errors.New("finding the cache folder: none of HYPERKUBE_CACHE, XDG_CACHE_HOME and HOME is set")
			}
			base = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(base, "hyperkube")
	}
	if !filepath.IsAbs(dir) {
		return "", errors.New("finding the cache folder: \"" + dir + "\" is not an absolute path")
	}
	return filepath.Clean(dir), nil
}

// Store returns $HYPERKUBE_STORE, or store in [Dir]: the folder of files by
// their sha256.
func Store(getenv func(string) string) (string, error) {
	if dir := getenv("HYPERKUBE_STORE"); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", errors.New("finding the store: HYPERKUBE_STORE=\"" + dir + "\" is not an absolute path")
		}
		return filepath.Clean(dir), nil
	}
	dir, err := Dir(getenv)
	return filepath.Join(dir, "store"), err
}
