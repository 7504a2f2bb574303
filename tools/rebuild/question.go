package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
)

// window is a range of seconds, both ends included.
type window struct{ from, to time.Time }

func (w window) size() int64 { return max(0, w.to.Unix()-w.from.Unix()+1) }

func (w window) at(i int64) time.Time { return w.from.Add(time.Duration(i) * time.Second) }

func (w window) String() string {
	if w.size() == 1 {
		return w.from.Format(redate.Layout)
	}
	return w.from.Format(redate.Layout) + " to " + w.to.Format(redate.Layout)
}

func only(t time.Time) window { return window{t, t} }

// question is a set of dates to try: every build date, each with every commit
// time, or where that is a zero window, with every lag behind the commit.
type question struct {
	build, commit window
	lag           [2]int64 // seconds, both ends included
}

func (q question) size() int64 { return q.build.size() * q.rows() }

// rows is how often all build dates are tried.
func (q question) rows() int64 {
	if q.commit == (window{}) {
		return q.lag[1] - q.lag[0] + 1
	}
	return q.commit.size()
}

// answer is one of the dates to try.
func (q question) answer(i int64) found {
	row, column := i/q.build.size(), i%q.build.size()
	f := found{ok: true, build: q.build.at(column)}
	if q.commit == (window{}) {
		f.commit = f.build.Add(-time.Duration(q.lag[0]+row) * time.Second)
	} else {
		f.commit = q.commit.at(row)
	}
	return f
}

func (q question) String() string {
	if q.commit == (window{}) {
		return fmt.Sprintf("%s (commit %d to %d s before)", q.build, q.lag[0], q.lag[1])
	}
	return fmt.Sprintf("%s (commit of %s)", q.build, q.commit)
}

// found is the answer.
type found struct {
	ok            bool
	build, commit time.Time
}

func (f found) String() string {
	if !f.ok {
		return "not found"
	}
	return "found, built " + f.build.Format(redate.Layout) + ", commit of " + f.commit.Format(redate.Layout)
}

// Seconds from one moment of a release to a later one. Over the versions of
// which all moments are known, the server phase began 0 to 100 s after the
// commit, the node phase 123 to 546 s after that, and the client phase 41 to
// 126 s after the latter; twice that is not much to try.
var after = map[string]map[string][2]int64{
	"server": {"commit": {0, 300}},
	"node":   {"server": {30, 1200}, "commit": {30, 1500}},
	"client": {"node": {10, 400}, "server": {60, 1600}, "commit": {60, 1900}},
}

// usual is the window that a moment of a release opens for a later one.
func usual(from time.Time, d [2]int64) window {
	return window{from.Add(time.Duration(d[0]) * time.Second), from.Add(time.Duration(d[1]) * time.Second)}
}

// before is the window that a moment of a release opens for an earlier one.
func before(to time.Time, d [2]int64) window {
	return window{to.Add(-time.Duration(d[1]) * time.Second), to.Add(-time.Duration(d[0]) * time.Second)}
}

// questions are what to try for a phase, the likely before the less likely.
func (r *rebuilder) questions(release builddate.Release, phase string) []question {
	commit := release.CommitTime.Date
	build := r.config.window
	if known, ok := release.Phases[phase]; ok && build == (window{}) {
		build = only(known.Date)
	}
	set := build != (window{})
	if !set {
		for _, earlier := range []string{"node", "server", "commit"} {
			from, ok := release.Phases[earlier]
			if earlier == "commit" {
				from, ok = builddate.Learned{Date: commit}, true
			}
			if d, follows := after[phase][earlier]; ok && follows {
				build = usual(from.Date, d)
				break
			}
		}
	}
	all := []question{{build: build, commit: only(commit)}}
	if phase != "server" || release.CommitTime.How != builddate.Proxy {
		return all
	}
	// The proxy's time of a version may be hours or days after the commit.
	switch {
	case set:
		return append(all, question{build: build, lag: [2]int64{0, 300}})
	case !release.Phases["node"].Date.IsZero():
		build = before(release.Phases["node"].Date, after["node"]["server"])
	case !release.Phases["client"].Date.IsZero():
		build = before(release.Phases["client"].Date, after["client"]["server"])
	default:
		return append(all,
			question{build: window{commit.Add(-6 * time.Hour), commit}, lag: [2]int64{0, 3}},
			question{build: window{commit.Add(-72 * time.Hour), commit.Add(-6 * time.Hour)}, lag: [2]int64{0, 3}})
	}
	return append(all, question{build: build, lag: [2]int64{0, 3}}, question{build: build, lag: [2]int64{4, 120}})
}

// doubtful says that the commit's time cannot be what the proxy says, for the
// phases that are known did not follow it as they do.
func doubtful(release builddate.Release) bool {
	for phase, l := range release.Phases {
		lag, d := int64(l.Date.Sub(release.CommitTime.Date)/time.Second), after[phase]["commit"]
		if release.CommitTime.How == builddate.Proxy && (lag < d[0] || lag > d[1]) {
			return true
		}
	}
	return false
}

// chunk is how many dates are tried between two notes of how far the search
// is: at first; then about a second's worth.
const chunk = 16

func nextChunk(n int64, took time.Duration) int64 {
	switch {
	case took < time.Second/2:
		return 2 * n
	case took > 2*time.Second:
		return max(1, n/2)
	}
	return n
}

// try tries all dates of a question, on all processors, from where an earlier
// search for the same was stopped.
func (r *rebuilder) try(ctx context.Context, v *opened, target job, program *redate.Program, q question) (found, int64, error) {
	note := searchNote{path: filepath.Join(r.config.cache, "search", fmt.Sprintf("%s-%s-%s.json", v.tree.Version, target.binary, target.platform.Label()))}
	asked := program.Sum(placeholderBuild.Format(redate.Layout), placeholderCommit.Format(redate.Layout))
	now := searched{Program: fmt.Sprintf("%x", asked), Want: target.want.String(), Question: q.String()}
	start, err := note.next(now)
	if err != nil {
		return found{}, 0, err
	}
	task := r.report.Start(fmt.Sprintf("trying dates of %s", target), "dates", q.size())
	task.Add(start)
	n := int64(chunk)
	for at := start; at < q.size(); {
		if ctx.Err() != nil {
			task.Fail()
			return found{}, at - start, ctx.Err()
		}
		end, began := min(at+n, q.size()), time.Now()
		if i := firstMatch(program, q, now.Want, at, end); i >= 0 {
			task.Add(i - at + 1)
			task.Done()
			return q.answer(i), i - start + 1, nil
		}
		task.Add(end - at)
		now.Next = end
		if err := note.save(now); err != nil {
			return found{}, end - start, err
		}
		at, n = end, nextChunk(n, time.Since(began))
	}
	task.Done()
	return found{}, q.size() - start, nil
}

// firstMatch is the first of the dates from at to end that gives want, or -1.
func firstMatch(program *redate.Program, q question, want string, at, end int64) int64 {
	var next, match atomic.Int64
	next.Store(at)
	match.Store(-1)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for match.Load() < 0 {
				i := next.Add(1) - 1
				if i >= end {
					return
				}
				f := q.answer(i)
				if sum := program.Sum(f.build.Format(redate.Layout), f.commit.Format(redate.Layout)); fmt.Sprintf("%x", sum) == want {
					match.Store(i)
				}
			}
		})
	}
	wg.Wait()
	return match.Load()
}
