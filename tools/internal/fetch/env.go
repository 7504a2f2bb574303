package fetch

import (
	"fmt"
	"net/url"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// FromEnv makes the supplier that the environment asks for: its store at
// HYPERKUBE_STORE, its upstream HYPERKUBE_UPSTREAM (a mirror, or "off", which
// forbids every download), and HYPERKUBE_REGISTRY_MIRROR in place of the
// registries of base images. HYPERKUBE_REBUILD=1 is for machines that reach no
// upstream: it allows builds from source, and forbids downloads unless a mirror
// is named.
func FromEnv(env cli.Env) (*Fetcher, error) {
	catalog, _, err := versions.Load()
	if err != nil {
		return nil, err
	}
	return New(env, catalog)
}

// New is like [FromEnv] with another catalog than the one compiled in.
func New(env cli.Env, catalog *versions.Catalog) (*Fetcher, error) {
	dir, err := cachedir.Store(env.Getenv)
	if err != nil {
		return nil, err
	}
	s := &Fetcher{
		Catalog: catalog, Store: store.New(dir), Root: env.Dir, Getenv: env.Getenv,
		Upstream: env.Getenv("HYPERKUBE_UPSTREAM"), Registry: env.Getenv("HYPERKUBE_REGISTRY_MIRROR"),
		Progress: progress.New(env.Err), Log: env.Err,
	}
	if err := checkUpstream(s.Upstream); err != nil {
		return nil, cli.Usage("HYPERKUBE_UPSTREAM: %w", err)
	}
	if s.Upstream == Off {
		s.Registry = Off
	}
	if env.Getenv("HYPERKUBE_REBUILD") == "1" {
		if s.Upstream == "" {
			s.Upstream = Off
		}
		if s.Registry == "" {
			s.Registry = Off
		}
		s.Rebuild = s.rebuilder()
	}
	return s, nil
}

func checkUpstream(upstream string) error {
	if upstream == "" || upstream == Off {
		return nil
	}
	u, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("want https://HOST or https://HOST/PATH, or %q, got %q", Off, u.Redacted())
	}
	return nil
}
