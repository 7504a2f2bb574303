package survey

import (
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/search"
	"github.com/hyperkube/hyperkube/versions"
)

var (
	staticBinaries = []string{"kubectl", "kubeadm", "kube-proxy"} // quick to build, and without cgo
	nodeBinaries   = append(staticBinaries[:len(staticBinaries):len(staticBinaries)], "kubelet")
	allBinaries    = append(nodeBinaries[:len(nodeBinaries):len(nodeBinaries)], "kube-apiserver", "kube-controller-manager", "kube-scheduler")
)

// entry is a version and the binaries to rebuild of it.
type entry struct {
	version  versions.Version
	binaries []string
}

// first has the versions that users ask for first.
func first() []entry {
	return []entry{
		{mustVersion("v1.36.0"), allBinaries}, {mustVersion("v1.29.1"), nodeBinaries}, {mustVersion("v1.34.3"), allBinaries},
	}
}

// order returns what to rebuild: the first versions, then one version of each
// other minor, then all versions. Of a minor it takes the version whose build
// dates are known best and of which something could be built. Minors with a
// reproducible kubelet precede those without, and quick builds precede kubelet.
func order(catalog *versions.Catalog, dates builddate.Dates, recorded results.Results) []entry {
	pinned := pinnedVersions(catalog)
	entries := first()
	var newer, older []versions.Version
	for _, v := range bestOfMinors(pinned, dates, prospects(recorded)) {
		switch {
		case slices.ContainsFunc(entries, func(e entry) bool { return e.version.MinorLabel() == v.MinorLabel() }):
		case v.Compare(mustVersion("v1.30.0")) < 0: // kubelet may contain the random name of its build directory
			older = append(older, v)
		default:
			newer = append(newer, v)
		}
	}
	add := func(all []versions.Version, binaries []string) {
		for _, v := range all {
			entries = append(entries, entry{v, binaries})
		}
	}
	add(newer, staticBinaries)
	add(newer, nodeBinaries)
	add(older, nodeBinaries)
	add(pinned, allBinaries)
	return slices.DeleteFunc(entries, func(e entry) bool { return !slices.Contains(pinned, e.version) })
}

// pinnedVersions returns the versions whose server binaries are in the lock, the
// newest first.
func pinnedVersions(catalog *versions.Catalog) []versions.Version {
	var pinned []versions.Version
	for _, pin := range catalog.Lock.Pins() {
		if pin.Source == rebuild.Source && pin.File == "kube-log-runner" && !slices.Contains(pinned, pin.Version) {
			pinned = append(pinned, pin.Version)
		}
	}
	slices.SortFunc(pinned, func(a, b versions.Version) int { return b.Compare(a) })
	return pinned
}

// bestOfMinors returns the version of each minor with the highest score. The
// first of equals wins. A minor without a version that may be buildable is left
// out.
func bestOfMinors(pinned []versions.Version, dates builddate.Dates, prospects map[versions.Version]int) []versions.Version {
	score := func(v versions.Version) int { return knownDates(dates.Release(v)) + prospects[v] }
	var best []versions.Version
	for _, v := range pinned {
		i := slices.IndexFunc(best, func(b versions.Version) bool { return b.MinorLabel() == v.MinorLabel() })
		switch {
		case score(v) < 0:
		case i < 0:
			best = append(best, v)
		case score(v) > score(best[i]):
			best[i] = v
		}
	}
	return best
}

// Scores of versions with results.
const (
	hopeless  = -100
	promising = 100
)

// prospects scores the versions that have results: promising if a binary
// matched, hopeless if none could be built, because the proxy does not serve
// a module or the toolchain.
func prospects(recorded results.Results) map[versions.Version]int {
	scores := map[versions.Version]int{}
	for _, result := range recorded.All() {
		score := map[string]int{results.Unbuildable: hopeless, results.Matched: promising}[result.Outcome]
		if before, ok := scores[result.Version]; !ok || score > before {
			scores[result.Version] = score
		}
	}
	return scores
}

// knownDates scores a release by the known build dates of the node and client
// phases, and by whether they fit the commit time.
func knownDates(r builddate.Release) int {
	n := 0
	for _, phase := range []string{"node", "client"} {
		if _, ok := r.Phases[phase]; ok {
			n++
		}
		if r.Commit != (builddate.Commit{}) && search.FollowsCommit(r, phase) {
			n++
		}
	}
	return n
}

// mustVersion parses a constant.
func mustVersion(s string) versions.Version {
	v, err := versions.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}
