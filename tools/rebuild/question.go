package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/redate"
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

// question is a set of dates to try: every build date with every commit time.
type question struct{ build, commit window }

func (q question) size() int64 { return q.build.size() * q.commit.size() }

func (q question) String() string { return fmt.Sprintf("%s (commit of %s)", q.build, q.commit) }

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

// questions are what to try for a phase, the likely before the less likely.
func (r *rebuilder) questions(release builddate.Release, phase string) []question {
	commit := release.CommitTime.Date
	build := r.config.window
	if known, ok := release.Phases[phase]; ok && build == (window{}) {
		build = only(known.Date)
	}
	if build == (window{}) {
		for _, earlier := range []string{"node", "server", "commit"} {
			from, ok := release.Phases[earlier]
			if earlier == "commit" {
				from, ok = builddate.Learned{Date: commit}, true
			}
			if d, usual := after[phase][earlier]; ok && usual {
				build = window{from.Date.Add(time.Duration(d[0]) * time.Second), from.Date.Add(time.Duration(d[1]) * time.Second)}
				break
			}
		}
	}
	all := []question{{build, only(commit)}}
	// The proxy's time of a version is not always the commit's. That is never
	// long before the server phase.
	if server, ok := release.Phases["server"]; ok && release.CommitTime.How == builddate.Proxy {
		all = append(all, question{build, window{server.Date.Add(-300 * time.Second), server.Date}})
	}
	return all
}

// chunk is how many dates are tried between two notes of how far the search is.
const chunk = 256

// try tries all dates of a question, on all processors, from where an earlier
// search for the same was stopped.
func (r *rebuilder) try(ctx context.Context, v *opened, target job, program *redate.Program, q question) (found, int64, error) {
	note := searchNote{path: filepath.Join(r.config.cache, "search", fmt.Sprintf("%s-%s-%s.json", v.tree.Version, target.binary, target.platform.Label()))}
	want := target.want.String()
	start, err := note.next(want, q)
	if err != nil {
		return found{}, 0, err
	}
	task := r.report.Start(fmt.Sprintf("trying dates of %s", target), "dates", q.size())
	task.Add(start)
	for at := start; at < q.size(); at += chunk {
		if ctx.Err() != nil {
			task.Fail()
			return found{}, at - start, ctx.Err()
		}
		end := min(at+chunk, q.size())
		if i := firstMatch(program, q, want, at, end); i >= 0 {
			task.Add(i - at + 1)
			task.Done()
			return q.answer(i), i - start + 1, nil
		}
		task.Add(end - at)
		if err := note.save(want, q, end); err != nil {
			return found{}, end - start, err
		}
	}
	task.Done()
	return found{}, q.size() - start, nil
}

func (q question) answer(i int64) found {
	n := q.build.size()
	return found{true, q.build.at(i % n), q.commit.at(i / n)}
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

// searchNote remembers how far a search is, for the next run.
type searchNote struct{ path string }

type searched struct {
	Want, Question string
	Next           int64
}

func (n searchNote) next(want string, q question) (int64, error) {
	var all []searched
	data, err := os.ReadFile(n.path)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading how far the search is: %w", err)
	}
	if json.Unmarshal(data, &all) != nil {
		return 0, nil // begin anew
	}
	for _, s := range all {
		if s.Want == want && s.Question == q.String() {
			return s.Next, nil
		}
	}
	return 0, nil
}

func (n searchNote) save(want string, q question, next int64) error {
	var all []searched
	if data, err := os.ReadFile(n.path); err == nil {
		_ = json.Unmarshal(data, &all)
	}
	now := searched{want, q.String(), next}
	for i := range all {
		if all[i].Want == now.Want && all[i].Question == now.Question {
			all = append(all[:i], all[i+1:]...)
			break
		}
	}
	data, err := json.Marshal(append(all, now))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(n.path), 0o755); err != nil {
		return fmt.Errorf("noting how far the search is: %w", err)
	}
	return writeFile(n.path, data)
}
