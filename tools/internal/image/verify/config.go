package verify

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/versions"
)

// checkConfig compares the runtime settings of a config with those of the
// flavor. Settings that the flavor leaves out must be those of the base image.
func (i *inspector) checkConfig(got, base *v1.ConfigFile) error {
	f := i.image.Flavor
	var errs []error
	if !slices.Equal(got.Config.Entrypoint, f.Entrypoint) {
		errs = append(errs, fmt.Errorf("want entrypoint %q, got %q", f.Entrypoint, got.Config.Entrypoint))
	}
	if !slices.Equal(got.Config.Cmd, f.Cmd) {
		errs = append(errs, fmt.Errorf("want cmd %q, got %q", f.Cmd, got.Config.Cmd))
	}
	user, dir := cmp.Or(f.User, base.Config.User), cmp.Or(f.WorkingDir, base.Config.WorkingDir)
	if got.Config.User != user || got.Config.WorkingDir != dir {
		errs = append(errs, fmt.Errorf("want user %q and working directory %q, got %q and %q", user, dir, got.Config.User, got.Config.WorkingDir))
	}
	labels := merge(base.Config.Labels, i.image.Labels)
	if len(got.Config.Labels) != len(labels) {
		errs = append(errs, fmt.Errorf("want %d labels, got %d", len(labels), len(got.Config.Labels)))
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if got.Config.Labels[key] != labels[key] {
			errs = append(errs, fmt.Errorf("label %s: want %q, got %q", key, labels[key], got.Config.Labels[key]))
		}
	}
	if want, env := merge(parseEnv(base.Config.Env), f.Env), parseEnv(got.Config.Env); !maps.Equal(want, env) {
		errs = append(errs, fmt.Errorf("want environment %q, got %q", want, env))
	}
	return errors.Join(errs...)
}

// merge returns base with the pairs set.
func merge(base map[string]string, pairs []versions.Pair) map[string]string {
	merged := map[string]string{}
	maps.Copy(merged, base)
	for _, p := range pairs {
		merged[p.Key] = p.Value
	}
	return merged
}

// parseEnv parses NAME=VALUE strings. The first of two values of a name wins: it
// is the one that an image on top replaces.
func parseEnv(env []string) map[string]string {
	parsed := map[string]string{}
	for _, e := range slices.Backward(env) {
		name, value, _ := strings.Cut(e, "=")
		parsed[name] = value
	}
	return parsed
}
