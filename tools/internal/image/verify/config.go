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

// config compares what a runtime goes by: the flavor's, and for what it does not
// say the base's.
func (l *look) config(got, base *v1.ConfigFile) error {
	f := l.image.Flavor
	var errs []error
	if !slices.Equal(got.Config.Entrypoint, f.Entrypoint) {
		errs = append(errs, fmt.Errorf("want entrypoint %q, got %q", f.Entrypoint, got.Config.Entrypoint))
	}
	if !slices.Equal(got.Config.Cmd, f.Cmd) {
		errs = append(errs, fmt.Errorf("want cmd %q, got %q", f.Cmd, got.Config.Cmd))
	}
	user, dir := cmp.Or(f.User, base.Config.User), cmp.Or(f.WorkingDir, base.Config.WorkingDir)
	if got.Config.User != user || got.Config.WorkingDir != dir {
		errs = append(errs, fmt.Errorf("want user %q and folder %q, got %q and %q", user, dir, got.Config.User, got.Config.WorkingDir))
	}
	labels := over(base.Config.Labels, l.image.Labels)
	if len(got.Config.Labels) != len(labels) {
		errs = append(errs, fmt.Errorf("want %d labels, got %d", len(labels), len(got.Config.Labels)))
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if got.Config.Labels[key] != labels[key] {
			errs = append(errs, fmt.Errorf("label %s: want %q, got %q", key, labels[key], got.Config.Labels[key]))
		}
	}
	if want, has := over(variables(base.Config.Env), f.Env), variables(got.Config.Env); !maps.Equal(want, has) {
		errs = append(errs, fmt.Errorf("want environment %q, got %q", want, has))
	}
	return errors.Join(errs...)
}

// over lays pairs over those of a base.
func over(base map[string]string, pairs []versions.Pair) map[string]string {
	all := map[string]string{}
	maps.Copy(all, base)
	for _, p := range pairs {
		all[p.Key] = p.Value
	}
	return all
}

// variables are those of an environment; of one that stands twice, the first is
// what a later image changes.
func variables(env []string) map[string]string {
	all := map[string]string{}
	for _, e := range slices.Backward(env) {
		key, content, _ := strings.Cut(e, "=")
		all[key] = content
	}
	return all
}
