package search

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
)

// result is the result of trying a search space.
type result struct {
	match candidate // if found
	found bool
	tried int64 // number of candidates, without those of earlier searches
}

func (r result) String() string {
	if !r.found {
		return "not found"
	}
	return "found " + r.match.String()
}

// try tries all candidates of a space on all processors. It continues where an
// earlier search stopped.
func (s Searcher) try(ctx context.Context, job rebuild.Job, program *redate.Program, space searchSpace) (result, error) {
	checkpoints := checkpointFile(filepath.Join(s.Rebuilder.Builder.Dir(), "search",
		fmt.Sprintf("%s-%s-%s.json", job.Version, job.Binary, job.Platform.Label())))
	now := checkpoint{Program: sum(program, placeholder), Want: job.Want.String(), Space: space.String()}
	start, err := checkpoints.next(now)
	if err != nil {
		return result{}, err
	}
	task := s.Rebuilder.Builder.Progress.Start(fmt.Sprintf("trying build dates of %s", job), "dates", space.size())
	task.Add(start)
	n := int64(firstChunk)
	for next := start; next < space.size(); {
		if ctx.Err() != nil {
			task.Fail()
			return result{tried: next - start}, ctx.Err()
		}
		end, began := min(next+n, space.size()), time.Now()
		if i := firstMatch(program, space, now.Want, next, end); i >= 0 {
			task.Add(i - next + 1)
			task.Done()
			return result{match: space.candidate(i), found: true, tried: i - start + 1}, nil
		}
		task.Add(end - next)
		now.Next = end
		if err := checkpoints.save(now); err != nil {
			return result{tried: end - start}, err
		}
		next, n = end, nextChunk(n, time.Since(began))
	}
	task.Done()
	return result{tried: space.size() - start}, nil
}

// firstChunk is the number of candidates before the first checkpoint. Later
// chunks take about a second.
const firstChunk = 16

func nextChunk(n int64, took time.Duration) int64 {
	switch {
	case took < time.Second/2:
		return 2 * n
	case took > 2*time.Second:
		return max(1, n/2)
	}
	return n
}

// firstMatch returns the number of a candidate in [from, end) whose binary has
// the sha256 want, or -1.
func firstMatch(program *redate.Program, space searchSpace, want string, from, end int64) int64 {
	var next, match atomic.Int64
	next.Store(from)
	match.Store(-1)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for match.Load() < 0 {
				i := next.Add(1) - 1
				if i >= end {
					return
				}
				if sum(program, space.candidate(i)) == want {
					match.Store(i)
				}
			}
		})
	}
	wg.Wait()
	return match.Load()
}

// sum returns the sha256 of the program with the timestamps of a candidate.
func sum(program *redate.Program, c candidate) string {
	return fmt.Sprintf("%x", program.Sum(c.build.Format(redate.Layout), c.commit.Format(redate.Layout)))
}
