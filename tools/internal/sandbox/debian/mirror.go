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

// suites are the Debian suites that the host may be configured with.
var suites = []string{
	"stable", "oldstable", "oldoldstable", "testing", "unstable",
	"bullseye", "bookworm", "trixie", "forky", "duke", "sid",
}

// chooseMirror selects the Debian archive among the host's repositories. Third
// parties use Debian's suite names as well, so every repository gets a score;
// the first one with the highest score wins.
func chooseMirror(sources []source) (mirror, error) {
	var m mirror
	best, bestSecurity := 0, 0
	for _, s := range sources {
		suite, security := strings.CutSuffix(s.suite, "-security")
		if n := score(s, suite, security); security && n > bestSecurity {
			bestSecurity, m.security = n, s
		} else if !security && n > best {
			best, m.archive = n, s
		}
	}
	if best == 0 {
		seen := make([]string, len(sources))
		for i, s := range sources {
			seen[i] = fmt.Sprintf("%s %s (%s)", s.uri, s.suite, s.file)
		}
		return m, fmt.Errorf("finding a Debian mirror: apt's configuration has none; "+
			"got %q; set HYPERKUBE_DEBIAN_MIRROR (and HYPERKUBE_DEBIAN_SECURITY_MIRROR)", seen)
	}
	return m, nil
}

// score rates how likely s is Debian's own archive; 0 means that it is not.
func score(s source, suite string, security bool) int {
	u, err := url.Parse(s.uri)
	if err != nil || !slices.Contains(s.components, "main") {
		return 0
	}
	// Skip schemes without network access: cdrom, file.
	if !strings.Contains(u.Scheme, "http") && !strings.HasPrefix(u.Scheme, "mirror") {
		return 0
	}
	n := 0
	if slices.Contains(suites, suite) {
		n++
	}
	if last := path.Base(u.Path); last == "debian" && !security || last == "debian-security" && security {
		n += 2
	}
	if strings.Contains(s.signedBy, "debian-archive-") {
		n += 4
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
				"set HYPERKUBE_DEBIAN_SECURITY_MIRROR", spec.Suite)
		}
		stanza(m.security, spec.Suite+"-security")
	}
	return b.String(), nil
}
