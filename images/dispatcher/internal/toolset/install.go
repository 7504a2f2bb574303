package toolset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// pollInterval is the time between two attempts to lock the directory.
const pollInterval = 50 * time.Millisecond

// Install changes a directory as planned, all or nothing. Concurrent runs in one
// directory wait for each other. Results are in the order of the plan, programs
// before links. On error nothing has changed, with two exceptions: if syncing
// the switch to disk fails, all names have changed; and if removing old sets
// fails, the error comes with the results.
func Install(ctx context.Context, p Plan) ([]Result, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(p.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening directory %q: %w; create or mount it first", p.Dir, err)
	}
	defer root.Close()
	lock, err := acquireLock(ctx, root, p.OnWait)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	steps, switched, err := install(ctx, root, p)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("installing into %q: %w", p.Dir, err), cleanUp(root))
	}
	if switched {
		select {
		case <-ctx.Done():
		case <-time.After(p.GracePeriod):
		}
	}
	results := make([]Result, len(steps))
	for i, st := range steps {
		results[i] = st.Result
	}
	if err := cleanUp(root); err != nil {
		return results, fmt.Errorf("removing old programs from %q: %w", p.Dir, err)
	}
	return results, nil
}

// acquireLock locks the directory itself: the lock needs no file, and the kernel
// releases it when the process ends.
func acquireLock(ctx context.Context, root *os.Root, onWait func()) (*os.File, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %q: %w", root.Name(), err), f.Close())
		}
		if first && onWait != nil {
			onWait()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for the lock of %q: %w", root.Name(), context.Cause(ctx)), f.Close())
		case <-time.After(pollInterval):
		}
	}
}

// install does everything but removing the old set. It reports whether it
// switched to a new one.
func install(ctx context.Context, root *os.Root, p Plan) ([]step, bool, error) {
	// The remains of a killed run may use disk space that this run needs.
	if err := cleanUp(root); err != nil {
		return nil, false, err
	}
	s, err := readState(root)
	if err != nil {
		return nil, false, err
	}
	steps, err := decide(ctx, s, p)
	if err != nil {
		return nil, false, err
	}
	snapshot, next := s.number+1, s.number+2
	if slices.ContainsFunc(steps, func(st step) bool { return st.method == write }) {
		b, err := newSet(s, next)
		if err != nil {
			return nil, false, err
		}
		if err := b.writeAll(ctx, steps, p); err != nil {
			return nil, false, err
		}
	}
	links, err := decideLinks(s, p, steps)
	if err != nil {
		return nil, false, err
	}
	steps = append(steps, links...)
	if !slices.ContainsFunc(steps, func(st step) bool { return st.Action == Installed || st.Action == Linked }) {
		return steps, false, nil
	}
	return steps, true, s.apply(steps, snapshot, next)
}

// writeAll writes the programs into the set. If the sum was unknown before, a
// program may turn out to be the installed one.
func (b builder) writeAll(ctx context.Context, steps []step, p Plan) error {
	for i := range steps {
		st := &steps[i]
		if st.method != write {
			continue
		}
		sum, err := b.write(ctx, st, p.Mode)
		if err != nil {
			return err
		}
		if err := b.skipIfEqual(ctx, st, sum, p.Mode); err != nil {
			return err
		}
		if st.method != write {
			if err := b.root.Remove(setPath(b.to, st.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
