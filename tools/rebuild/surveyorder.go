package main

import (
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
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
func surveyOrder(catalog *versions.Catalog, dates *builddate.Dates, recorded *results.Results) []surveyed {
	known := surveyable(catalog)
	order := surveyFirst()
	var newer, older []versions.Version
	for _, v := range bestOfMinors(known, dates, prospects(recorded)) {
		switch {
		case slices.ContainsFunc(order, func(s surveyed) bool { return s.version.MinorLabel() == v.MinorLabel() }):
		case v.Compare(mustVersion("v1.30.0")) < 0: // kubelet may have a random name in it
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

// bestOfMinors picks, of every minor, the version that promises most: that
// something matched of already, or whose dates are known best; among equals
// the first. A minor is left out if all of it is hopeless.
func bestOfMinors(known []versions.Version, dates *builddate.Dates, prospects map[versions.Version]int) []versions.Version {
	worth := func(v versions.Version) int { return knowledge(dates.Release(v)) + prospects[v] }
	var picked []versions.Version
	for _, v := range known {
		i := slices.IndexFunc(picked, func(p versions.Version) bool { return p.MinorLabel() == v.MinorLabel() })
		switch {
		case worth(v) < 0:
		case i < 0:
			picked = append(picked, v)
		case worth(v) > worth(picked[i]):
			picked[i] = v
		}
	}
	return picked
}

// prospects says of versions that were tried what else to expect of them: much
// where something matched, nothing where nothing could be built, for then a
// module or a toolchain was not to be had.
func prospects(known *results.Results) map[versions.Version]int {
	tried := map[versions.Version]int{}
	for _, result := range known.All() {
		worth := map[string]int{results.Unbuildable: hopeless, results.Matched: promising}[result.Outcome]
		if before, ok := tried[result.Version]; !ok || worth > before {
			tried[result.Version] = worth
		}
	}
	return tried
}

// To be added to the knowledge of a version.
const (
	hopeless  = -100
	promising = 100
)

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
