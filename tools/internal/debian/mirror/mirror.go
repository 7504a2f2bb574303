// Package mirror finds the Debian mirror of the machine: the one that
// HYPERKUBE_DEBIAN_MIRROR names, or that in apt's configuration.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/redact"
)

// Mirror has the Debian archive and the security archive. The latter is zero if the
// machine's apt configuration has none.
type Mirror struct{ Archive, Security Source }

// Find returns the mirror that the environment names, or else the one in apt's
// configuration.
func Find(getenv func(string) string) (Mirror, error) {
	return find(getenv, os.DirFS("/etc/apt"), os.DirFS("/var/lib/apt/lists"))
}

// find reads apt's configuration. Lists has the Release files that apt has
// downloaded.
func find(getenv func(string) string, apt, lists fs.FS) (Mirror, error) {
	sources, err := readSources(apt)
	readOrigins(lists, sources)
	var m Mirror
	if err == nil {
		m, err = chooseMirror(sources)
	}
	if uri := getenv(ArchiveEnv); uri != "" {
		m.Archive, err = sourceOf(uri, sources), checkCredentials(ArchiveEnv, uri)
	}
	if uri := getenv(SecurityEnv); uri != "" {
		m.Security = sourceOf(uri, sources)
		err = errors.Join(err, checkCredentials(SecurityEnv, uri))
	}
	return m, err
}

// Environment variables with the URIs of mirrors.
const (
	ArchiveEnv  = "HYPERKUBE_DEBIAN_MIRROR"
	SecurityEnv = "HYPERKUBE_DEBIAN_SECURITY_MIRROR"
)

// checkCredentials rejects a URI with credentials: it is written to files that every
// user can read.
func checkCredentials(name, uri string) error {
	if clean := redact.URLs(uri); clean != uri {
		return fmt.Errorf("reading %s=%q: want a URI without user and password, which are stored in files that others can read; "+
			"put them into a file of /etc/apt/auth.conf.d, see apt_auth.conf(5)", name, clean)
	}
	return nil
}

// sourceOf returns the source at uri, with the signing key that apt's
// configuration names for it.
func sourceOf(uri string, sources []Source) Source {
	for _, s := range sources {
		if strings.TrimSuffix(s.URI, "/") == strings.TrimSuffix(uri, "/") {
			return Source{URI: uri, SignedBy: s.SignedBy}
		}
	}
	return Source{URI: uri}
}

// NoSecurityError says that a mirror of the security archive is required.
func NoSecurityError(suite string) error {
	return fmt.Errorf("finding a mirror of %s-security: apt's configuration has none; set %s", suite, SecurityEnv)
}

// Stanza returns suites of the source in apt's deb822 format. A site's own key is
// kept. Debian's keyring of one release may lack the key of another release, so the
// keyring is used in its place, or none if it is "".
func (s Source) Stanza(keyring string, suites ...string) string {
	text := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", s.URI, strings.Join(suites, " "))
	if s.SignedBy != "" && !strings.Contains(s.SignedBy, "debian-archive-") {
		keyring = s.SignedBy
	}
	if keyring != "" {
		text += "Signed-By: " + keyring + "\n"
	}
	return text + "\n"
}

// NetworkOptions returns the host's apt settings for network access: proxies,
// certificates, passwords. An apt with a configuration of its own does not read them.
func NetworkOptions(ctx context.Context) ([]string, error) {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("reading apt's configuration: running %q: %w", "apt-config dump", err)
	}
	return append(networkOptions(string(dump)),
		`Dir::Etc::netrc "/etc/apt/auth.conf";`, `Dir::Etc::netrcparts "/etc/apt/auth.conf.d";`), nil
}

// networkOptions selects the settings for network access from the output of
// `apt-config dump`.
func networkOptions(dump string) []string {
	var options []string
	for line := range strings.Lines(dump) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(strings.ToLower(line), " ")
		if value == `"";` {
			continue
		}
		for _, prefix := range []string{
			"acquire::http::", "acquire::https::", "acquire::socks::", "acquire::retries",
			"acquire::forceipv4", "acquire::forceipv6", "acquire::check-date",
		} {
			if strings.HasPrefix(key, prefix) {
				options = append(options, line)
			}
		}
	}
	return options
}
