package fetch

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// New returns a fetcher of the files of a catalog, configured by the environment:
// HYPERKUBE_STORE is the directory of the store, HYPERKUBE_UPSTREAM a mirror of
// upstream, or "off" to disable downloads, and HYPERKUBE_REGISTRY_MIRROR a mirror
// of the registries of base images. HYPERKUBE_DEBIAN_MIRROR is a mirror of Debian
// packages; without it, apt's configuration names one. HYPERKUBE_REBUILD=1 is for
// machines that cannot reach upstream: it enables builds from source, and disables
// downloads except from mirrors.
func New(env cli.Env, catalog *versions.Catalog) (*Fetcher, error) {
	dir, err := cachedir.Store(env.Getenv)
	if err != nil {
		return nil, err
	}
	f := &Fetcher{
		Catalog: catalog, Store: store.New(dir), Root: env.Dir, Getenv: env.Getenv,
		Upstream: env.Getenv("HYPERKUBE_UPSTREAM"), Registry: env.Getenv("HYPERKUBE_REGISTRY_MIRROR"),
		Progress: progress.New(env.Err, env.Getenv), Log: env.Err,
	}
	if err := checkUpstream(f.Upstream); err != nil {
		return nil, cli.Usage("HYPERKUBE_UPSTREAM: %w", err)
	}
	if f.Upstream == Off {
		f.Registry = Off
	} else {
		f.DebianMirror = sync.OnceValues(func() (mirror.Mirror, error) { return mirror.Find(env.Getenv) })
	}
	if env.Getenv("HYPERKUBE_REBUILD") == "1" {
		if f.Upstream == "" {
			f.Upstream = Off
		}
		if f.Registry == "" {
			f.Registry = Off
		}
		f.Rebuild = f.rebuild
	}
	return f, nil
}

func checkUpstream(upstream string) error {
	if upstream == "" || upstream == Off {
		return nil
	}
	u, err := url.Parse(upstream)
	if err != nil || u.Opaque != "" || u.User == nil && strings.Contains(upstream, "@") {
		// An error of url.Parse repeats parts of the URL.
		return fmt.Errorf("want https://HOST or https://HOST/PATH, or %q, got a malformed URL, which is not repeated here because it may have a password", Off)
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("want https://HOST or https://HOST/PATH, or %q, got %q", Off, httplimit.Redact(u))
	}
	return nil
}
