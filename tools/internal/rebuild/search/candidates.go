package search

import (
	"fmt"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
)

// Range is a range of seconds, including both ends.
type Range struct{ From, To time.Time }

func (r Range) size() int64 { return max(0, r.To.Unix()-r.From.Unix()+1) }

func (r Range) at(i int64) time.Time { return r.From.Add(time.Duration(i) * time.Second) }

func (r Range) String() string {
	if r.size() == 1 {
		return r.From.Format(redate.Layout)
	}
	return r.From.Format(redate.Layout) + " to " + r.To.Format(redate.Layout)
}

func single(t time.Time) Range { return Range{t, t} }

// offset is a range of seconds between two events of a release, including both
// ends.
type offset [2]int64

// after returns the range of the later event.
func (o offset) after(t time.Time) Range {
	return Range{t.Add(time.Duration(o[0]) * time.Second), t.Add(time.Duration(o[1]) * time.Second)}
}

// before returns the range of the earlier event.
func (o offset) before(t time.Time) Range {
	return Range{t.Add(-time.Duration(o[1]) * time.Second), t.Add(-time.Duration(o[0]) * time.Second)}
}

func (o offset) size() int64 { return o[1] - o[0] + 1 }

// searchSpace is a set of candidates: each build date with each commit time. If
// commit is zero, the commit times are each build date minus each lag.
type searchSpace struct {
	build, commit Range
	lag           offset
}

// candidate is a pair of timestamps to try.
type candidate struct{ build, commit time.Time }

func (c candidate) String() string {
	return "build date " + c.build.Format(redate.Layout) + ", commit time " + c.commit.Format(redate.Layout)
}

func (s searchSpace) size() int64 {
	if s.commit == (Range{}) {
		return s.build.size() * s.lag.size()
	}
	return s.build.size() * s.commit.size()
}

// candidate returns a candidate by its number. All build dates are tried with
// one commit time before the next one.
func (s searchSpace) candidate(i int64) candidate {
	row, column := i/s.build.size(), i%s.build.size()
	c := candidate{build: s.build.at(column)}
	if s.commit == (Range{}) {
		c.commit = c.build.Add(-time.Duration(s.lag[0]+row) * time.Second)
	} else {
		c.commit = s.commit.at(row)
	}
	return c
}

func (s searchSpace) String() string {
	if s.commit == (Range{}) {
		return fmt.Sprintf("%s (commit %d to %d s before)", s.build, s.lag[0], s.lag[1])
	}
	return fmt.Sprintf("%s (commit time %s)", s.build, s.commit)
}

// offsets of a phase from earlier events. Where all timestamps of a version are
// known, the server phase began 0 to 100 s after the commit, the node phase 123
// to 546 s after the server phase, and the client phase 41 to 126 s after the
// node phase. About twice that is cheap to try.
var offsets = map[string]map[string]offset{
	"server": {"commit": {0, 300}},
	"node":   {"server": {30, 1200}, "commit": {30, 1500}},
	"client": {"node": {10, 400}, "server": {60, 1600}, "commit": {60, 1900}},
}

// FollowsCommit reports whether the known build date of a phase is as long after
// the commit time as usual.
func FollowsCommit(release builddate.Release, phase string) bool {
	t, ok := release.Phases[phase]
	usual := offsets[phase]["commit"].after(release.CommitTime.Date)
	return ok && !t.Date.Before(usual.From) && !t.Date.After(usual.To)
}

// commitTimeSuspect reports whether the module proxy's commit time contradicts a
// known build date. The proxy's time of some versions is hours or days late.
func commitTimeSuspect(release builddate.Release) bool {
	for phase := range release.Phases {
		if release.CommitTime.Source == builddate.Proxy && !FollowsCommit(release, phase) {
			return true
		}
	}
	return false
}

// searchSpaces returns the spaces to search for a phase, the likeliest first.
// The zero Range lets the known timestamps of the release choose the build dates.
func searchSpaces(release builddate.Release, phase string, build Range) []searchSpace {
	commit := release.CommitTime.Date
	if known, ok := release.Phases[phase]; ok && build == (Range{}) {
		build = single(known.Date)
	}
	given := build != (Range{})
	if !given {
		build = usualRange(release, phase)
	}
	spaces := []searchSpace{{build: build, commit: single(commit)}}
	if phase != "server" || release.CommitTime.Source != builddate.Proxy {
		return spaces
	}
	// The commit may be earlier than the proxy's time.
	if given {
		return append(spaces, searchSpace{build: build, lag: offset{0, 300}})
	}
	for _, later := range []string{"node", "client"} {
		if known, ok := release.Phases[later]; ok {
			build = offsets[later]["server"].before(known.Date)
			return append(spaces, searchSpace{build: build, lag: offset{0, 3}}, searchSpace{build: build, lag: offset{4, 120}})
		}
	}
	return append(spaces,
		searchSpace{build: Range{commit.Add(-6 * time.Hour), commit}, lag: offset{0, 3}},
		searchSpace{build: Range{commit.Add(-72 * time.Hour), commit.Add(-6 * time.Hour)}, lag: offset{0, 3}})
}

// usualRange returns the range of a phase after the latest known earlier event.
func usualRange(release builddate.Release, phase string) Range {
	for _, earlier := range []string{"node", "server"} {
		from, known := release.Phases[earlier]
		if o, ok := offsets[phase][earlier]; ok && known {
			return o.after(from.Date)
		}
	}
	return offsets[phase]["commit"].after(release.CommitTime.Date)
}
