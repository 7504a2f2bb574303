package mirror

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

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
func chooseMirror(sources []Source) (Mirror, error) {
	var m Mirror
	best, bestSecurity := 0, 0
	var equal []string // URIs with the score best, if that is not certain
	for _, s := range sources {
		suite, security := strings.CutSuffix(s.Suite, "-security")
		n := score(s, suite, security)
		switch {
		case security:
			if n > bestSecurity {
				bestSecurity, m.Security = n, s
			}
		case n > best:
			best, m.Archive, equal = n, s, []string{s.URI}
		case n == best && n < certain && n > 0 && !slices.Contains(equal, s.URI):
			equal = append(equal, s.URI)
		}
	}
	problem := "has none"
	if len(equal) > 1 {
		problem = fmt.Sprintf("has several repositories that may be one, %q", equal)
	}
	if best == 0 || len(equal) > 1 {
		seen := make([]string, len(sources))
		for i, s := range sources {
			seen[i] = fmt.Sprintf("%s %s (%s)", s.URI, s.Suite, s.file)
		}
		// The caller may know the archive only.
		return Mirror{Security: m.Security}, fmt.Errorf("finding a Debian mirror: apt's configuration %s; "+
			"got %q; set %s (and %s)", problem, seen, ArchiveEnv, SecurityEnv)
	}
	return m, nil
}

// certain is the lowest score of a repository that no third party has.
const certain = 6

// score rates how likely s is Debian's own archive; 0 means that it is not, or that
// nothing but the name of a suite that others use suggests it.
func score(s Source, suite string, security bool) int {
	u, err := url.Parse(s.URI)
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
	if strings.Contains(s.SignedBy, "debian-archive-") {
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
