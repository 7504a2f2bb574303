package debian

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A mirror is where the packages of a root come from: the archive, and the
// security archive, which has a zero source if the machine names none.
type mirror struct{ archive, security source }

// suites are the names that a Debian mirror files its releases under, as far
// as a machine that runs this may be configured with them.
var suites = []string{
	"stable", "oldstable", "oldoldstable", "testing", "unstable",
	"bullseye", "bookworm", "trixie", "forky", "duke", "sid",
}

// chooseMirror finds the Debian archive among the machine's repositories.
// Third parties use Debian's suite names, too, so what looks most like Debian
// wins; among equals the first does.
func chooseMirror(sources []source) (mirror, error) {
	var m mirror
	best, bestSecurity := 0, 0
	for _, s := range sources {
		suite, security := strings.CutSuffix(s.suite, "-security")
		if n := likeness(s, suite, security); security && n > bestSecurity {
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
		return m, fmt.Errorf("finding a Debian mirror: the machine's apt configuration names none; "+
			"got %q; name one in HYPERKUBE_DEBIAN_MIRROR (and HYPERKUBE_DEBIAN_SECURITY_MIRROR)", seen)
	}
	return m, nil
}

// reachable reports whether apt gets files of a scheme without something being
// mounted or put in.
func reachable(scheme string) bool {
	return strings.Contains(scheme, "http") || strings.HasPrefix(scheme, "mirror")
}

// likeness says how much s looks like Debian's own archive; 0 is not at all.
func likeness(s source, suite string, security bool) int {
	u, err := url.Parse(s.uri)
	if err != nil || !slices.Contains(s.components, "main") || !reachable(u.Scheme) {
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

// render writes the repositories of spec in apt's stanza format.
func (m mirror) render(spec Spec) (string, error) {
	var b strings.Builder
	stanza := func(s source, suite string) {
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", s.uri, suite)
		// Debian's keyring for one release may lack the key of another;
		// mmdebstrap finds the right one. A site's own key is kept.
		if s.signedBy != "" && !strings.Contains(s.signedBy, "debian-archive-") {
			fmt.Fprintf(&b, "Signed-By: %s\n", s.signedBy)
		}
		b.WriteByte('\n')
	}
	stanza(m.archive, spec.Suite)
	if spec.Security {
		if m.security.uri == "" {
			return "", fmt.Errorf("finding a mirror of %s-security: the machine's apt configuration names none; "+
				"name one in HYPERKUBE_DEBIAN_SECURITY_MIRROR", spec.Suite)
		}
		stanza(m.security, spec.Suite+"-security")
	}
	return b.String(), nil
}
