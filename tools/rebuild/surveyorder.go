package main

import (
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuilt"
	"github.com/hyperkube/hyperkube/versions"
)

var (
	surveyStatic = []string{"kubectl", "kubeadm", "kube-proxy"} // cheap, and no C compiler has a hand in them
	surveyNode   = append(surveyStatic[:len(surveyStatic):len(surveyStatic)], "kubelet")
	surveyAll    = append(surveyNode[:len(surveyNode):len(surveyNode)], "kube-apiserver", "kube-controller-manager", "kube-scheduler")
)

// surveyed is what a survey does of one version.
type surveyed struct {
	version  versions.Version
	binaries []string
}

// A survey begins with these, which people ask for first.
func surveyFirst() []surveyed {
	return []surveyed{
		{mustVersion("v1.36.0"), surveyAll}, {mustVersion("v1.29.1"), surveyNode}, {mustVersion("v1.34.3"), surveyAll},
	}
}

// surveyOrder is what a survey does: the first ones; then a version of every
// other minor, of those whose dates are known best and of which something could
// be built, the minors whose kubelet can be had before those without, and what
// is cheap before kubelet; then all versions.
func surveyOrder(catalog *versions.Catalog, dates *builddate.Dates, results *rebuilt.Results) []surveyed {
	known := surveyable(catalog)
	order := surveyFirst()
	var newer, older []versions.Version
	for _, v := range bestOfMinors(known, dates, hopeless(results)) {
		switch {
		case slices.ContainsFunc(order, func(s surveyed) bool { return s.version.MinorLabel() == v.MinorLabel() }):
		case v.Compare(mustVersion("v1.30.0")) < 0: // kubelet has a random name in it
			older = append(older, v)
		default:
			newer = append(newer, v)
		}
	}
	add := func(all []versions.Version, binaries []string) {
		for _, v := range all {
			order = append(order, surveyed{v, binaries})
		}
	}
	add(newer, surveyStatic)
	add(newer, surveyNode)
	add(older, surveyNode)
	add(known, surveyAll)
	return slices.DeleteFunc(order, func(s surveyed) bool { return !slices.Contains(known, s.version) })
}

// surveyable are the versions that the lock has server binaries of, the newest
// first.
func surveyable(catalog *versions.Catalog) []versions.Version {
	var known []versions.Version
	for _, pin := range catalog.Lock.Pins() {
		if pin.Source == source && pin.File == "kube-log-runner" && !slices.Contains(known, pin.Version) {
			known = append(known, pin.Version)
		}
	}
	slices.SortFunc(known, func(a, b versions.Version) int { return b.Compare(a) })
	return known
}

// bestOfMinors picks, of every minor, the version whose dates are known best;
// among equals the first.
func bestOfMinors(known []versions.Version, dates *builddate.Dates, not map[versions.Version]bool) []versions.Version {
	var picked []versions.Version
	for _, v := range known {
		if not[v] {
			continue
		}
		i := slices.IndexFunc(picked, func(p versions.Version) bool { return p.MinorLabel() == v.MinorLabel() })
		switch {
		case i < 0:
			picked = append(picked, v)
		case knowledge(dates.Release(v)) > knowledge(dates.Release(picked[i])):
			picked[i] = v
		}
	}
	return picked
}

// hopeless are the versions of which nothing could be built: a module or a
// toolchain of theirs was not to be had.
func hopeless(results *rebuilt.Results) map[versions.Version]bool {
	is := map[versions.Version]bool{}
	for _, result := range results.All() {
		before, tried := is[result.Version]
		is[result.Version] = (before || !tried) && result.Outcome == rebuilt.Unbuildable
	}
	return is
}

// knowledge says how much is known of a release for kubectl, kubeadm,
// kube-proxy and kubelet: the dates of their phases, and a time of the commit
// that goes with them.
func knowledge(r builddate.Release) int {
	n := 0
	for _, phase := range []string{"node", "client"} {
		l, ok := r.Phases[phase]
		if !ok {
			continue
		}
		n++
		lag, d := int64(l.Date.Sub(r.CommitTime.Date).Seconds()), after[phase]["commit"]
		if r.Commit != "" && lag >= d[0] && lag <= d[1] {
			n++
		}
	}
	return n
}

// mustVersion is for constants.
func mustVersion(s string) versions.Version {
	v, err := versions.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}
