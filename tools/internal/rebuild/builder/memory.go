package builder

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"
)

// memory is the maximum memory, in bytes, of processes with all their children.
type memory int64

// sampleInterval suits compilers and linkers, which run for seconds.
const sampleInterval = 200 * time.Millisecond

// follow measures a process until stop is called.
func (m *memory) follow(pid int) (stop func()) {
	return every(sampleInterval, func() { *m = max(*m, resident(pid)) })
}

// every calls f at each interval until stop is called.
func every(interval time.Duration, f func()) (stop func()) {
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				f()
			}
		}
	})
	return func() { close(end); wg.Wait() }
}

// resident returns the resident memory of a process and all its descendants.
func resident(pid int) memory {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	children, pages := map[int][]int{}, map[int]int64{}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // the process has ended
		}
		// The name, in brackets, may contain any character. The parent is the
		// second field after it, the resident pages are the twenty-second.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 22 {
			continue
		}
		parent, _ := strconv.Atoi(string(fields[1]))
		children[parent] = append(children[parent], id)
		pages[id], _ = strconv.ParseInt(string(fields[21]), 10, 64)
	}
	var sum int64
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		sum += pages[queue[0]] * int64(os.Getpagesize())
		queue = append(queue, children[queue[0]]...)
	}
	return memory(sum)
}
