package debian

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// mirror names the Debian archive and the security archive. The latter is zero
// if the host's apt configuration has none.
type mirror struct{ archive, security source }

// Debian suites that the host may be configured with. Third parties use the names
// in suites for releases of their own.
var (
	codenames = []string{"bullseye", "bookworm", "trixie", "forky", "duke", "sid"}
	suites    = []string{"stable", "oldstable", "oldoldstable", "testing", "unstable"}
)

// chooseMirror selects the Debian archive among the host's repositories. Third
// parties use Debian's suites and components as well, so every repository gets a
// score, and the one with the highest score wins: the first of several if they are
// certainly Debian's, none otherwise.
func chooseMirror(sources []source) (mirror, error) {
	var m mirror
	best, bestSecurity := 0, 0
	var equal []string // URIs with the score best, if that is not certain
	for _, s := range sources {
		suite, security := strings.CutSuffix(s.suite, "-security")
		n := score(s, suite, security)
		switch {
		case security:
			if n > bestSecurity {
				bestSecurity, m.security = n, s
			}
		case n > best:
			best, m.archive, equal = n, s, []string{s.uri}
		case n == best && n < certain && n > 0 && !slices.Contains(equal, s.uri):
			equal = append(equal, s.uri)
		}
	}
	problem := "has none"
	if len(equal) > 1 {
		problem = fmt.Sprintf("has several repositories that may be one, %q", equal)
	}
	if best == 0 || len(equal) > 1 {
		seen := make([]string, len(sources))
		for i, s := range sources {
			seen[i] = fmt.Sprintf("%s %s (%s)", s.uri, s.suite, s.file)
		}
		// The caller may know the archive only.
		return mirror{security: m.security}, fmt.Errorf("finding a Debian mirror: apt's configuration %s; "+
			"got %q; set %s (and %s)", problem, seen, archiveEnv, securityEnv)
	}
	return m, nil
}

// certain is the lowest score of a repository that no third party has.
const certain = 6

// score rates how likely s is Debian's own archive; 0 means that it is not, or that
// nothing but the name of a suite that others use suggests it.
func score(s source, suite string, security bool) int {
	u, err := url.Parse(s.uri)
	if err != nil || !slices.Contains(s.components, "main") || s.origin != "" && s.origin != "Debian" {
		return 0
	}
	// Skip schemes without network access: cdrom, file.
	if !strings.Contains(u.Scheme, "http") && !strings.HasPrefix(u.Scheme, "mirror") {
		return 0
	}
	n := 0
	if s.origin == "Debian" {
		n += 16
	}
	if host := u.Hostname(); host == "debian.org" || strings.HasSuffix(host, ".debian.org") {
		n += 8
	}
	if strings.Contains(s.signedBy, "debian-archive-") {
		n += 8
	}
	want := "debian"
	if security {
		want = "debian-security"
	}
	if path.Base(u.Path) == want {
		n += 3
		// Third parties have repositories such as /PRODUCT/debian.
		if path.Clean(u.Path) == "/"+want {
			n++
		}
	}
	switch {
	case slices.Contains(codenames, suite):
		n += 2
	case n > 0 && slices.Contains(suites, suite):
		n++
		fallthrough
	default:
		// Third parties have /debian with the suite stable, too.
		if n < certain && !security {
			return 0
		}
	}
	return n
}

// render returns the repositories of spec in apt's deb822 format.
func (m mirror) render(spec Spec) (string, error) {
	var b strings.Builder
	stanza := func(s source, suite string) {
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", s.uri, suite)
		// Debian's keyring of one release may lack the key of another release;
		// mmdebstrap chooses the right keyring. A site's own key is kept.
		if s.signedBy != "" && !strings.Contains(s.signedBy, "debian-archive-") {
			fmt.Fprintf(&b, "Signed-By: %s\n", s.signedBy)
		}
		b.WriteByte('\n')
	}
	stanza(m.archive, spec.Suite)
	if spec.Security {
		if m.security.uri == "" {
			return "", fmt.Errorf("finding a mirror of %s-security: apt's configuration has none; "+
				"set %s", spec.Suite, securityEnv)
		}
		stanza(m.security, spec.Suite+"-security")
	}
	return b.String(), nil
}
