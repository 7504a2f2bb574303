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

// try tries all candidates of a space on all processors, from the checkpoint of an
// earlier search on. It returns a nil match if none has the official sha256, and the
// number of candidates without those of earlier searches.
func (s Searcher) try(ctx context.Context, job rebuild.Job, program *redate.Program, space searchSpace) (match *candidate, tried int64, err error) {
	file := checkpointFile(filepath.Join(s.Rebuilder.Builder.Dir(), "search",
		fmt.Sprintf("%s-%s-%s.json", job.Version, job.Binary, job.Platform.Label())))
	checkpoints, err := file.read()
	if err != nil {
		return nil, 0, err
	}
	search := searchKey(sum(program, placeholder), job.Want.String(), space)
	start := checkpoints[search]
	task := s.Rebuilder.Builder.Progress.Start(fmt.Sprintf("trying build dates of %s", job), "dates", space.size())
	task.Add(start)
	n := int64(firstChunk)
	for next := start; next < space.size(); {
		if ctx.Err() != nil {
			task.Fail()
			return nil, next - start, ctx.Err()
		}
		end, began := min(next+n, space.size()), time.Now()
		if i := firstMatch(program, space, job.Want.String(), next, end); i >= 0 {
			task.Add(i - next + 1)
			task.Done()
			c := space.candidate(i)
			return &c, i - start + 1, nil
		}
		task.Add(end - next)
		if err := file.save(search, end); err != nil {
			return nil, end - start, err
		}
		next, n = end, nextChunk(n, time.Since(began))
	}
	task.Done()
	return nil, space.size() - start, nil
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
