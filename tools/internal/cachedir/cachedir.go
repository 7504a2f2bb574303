// Package cachedir finds the directories of downloads and build results.
package cachedir

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Dir returns the absolute path of $HYPERKUBE_CACHE, by default hyperkube in the
// user's cache directory, $XDG_CACHE_HOME or $HOME/.cache.
func Dir(getenv func(string) string) (string, error) {
	dir := getenv("HYPERKUBE_CACHE")
	if dir == "" {
		base := getenv("XDG_CACHE_HOME")
		if base == "" {
			home := getenv("HOME")
			if home == "" {
				return "", errors.New("finding the cache directory: set HYPERKUBE_CACHE, XDG_CACHE_HOME or HOME")
			}
			base = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(base, "hyperkube")
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("finding the cache directory: %q is not an absolute path", dir)
	}
	return filepath.Clean(dir), nil
}

// Store returns the absolute path of $HYPERKUBE_STORE, by default store in [Dir].
func Store(getenv func(string) string) (string, error) {
	if dir := getenv("HYPERKUBE_STORE"); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("finding the store: HYPERKUBE_STORE=%q is not an absolute path", dir)
		}
		return filepath.Clean(dir), nil
	}
	dir, err := Dir(getenv)
	return filepath.Join(dir, "store"), err
}
