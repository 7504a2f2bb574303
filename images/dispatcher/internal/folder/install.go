package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// poll is short enough not to be felt and long enough to cost nothing.
const poll = 50 * time.Millisecond

// Install makes a folder have what the plan says, all of it or nothing. Two
// runs in one folder take turns. Results are in the order of the plan, programs
// before links. On error no name leads to other bytes than before, unless all do
// and only bringing that to the disk failed; an error of clearing away what the
// folder had comes with the results.
func Install(ctx context.Context, p Plan) ([]Result, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(p.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %q to install to: %w; it must be there: make it, or mount it", p.Dir, err)
	}
	defer root.Close()
	lock, err := acquire(ctx, root, p.Waiting)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	steps, switched, err := install(ctx, root, p)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("installing to %q: %w", p.Dir, err), sweep(root))
	}
	if switched {
		select {
		case <-ctx.Done():
		case <-time.After(p.Linger):
		}
	}
	results := make([]Result, len(steps))
	for i, st := range steps {
		results[i] = st.Result
	}
	if err := sweep(root); err != nil {
		return results, fmt.Errorf("removing old programs from %q: %w", p.Dir, err)
	}
	return results, nil
}

// acquire takes the lock of the folder. It is on the folder itself, so it
// leaves no file behind, and ends with its process.
func acquire(ctx context.Context, root *os.Root, waiting func()) (*os.File, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %q: %w", root.Name(), err), f.Close())
		}
		if !told && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for the lock of %q: %w", root.Name(), context.Cause(ctx)), f.Close())
		case <-time.After(poll):
		}
	}
}

// install does all but the clearing away, and tells whether it switched.
func install(ctx context.Context, root *os.Root, p Plan) ([]step, bool, error) {
	// What a killed run left takes up room that this one may need.
	if err := sweep(root); err != nil {
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
	before, next := s.number+1, s.number+2
	if slices.ContainsFunc(steps, func(st step) bool { return st.how == write }) {
		b, err := newSet(s, next)
		if err != nil {
			return nil, false, err
		}
		if err := b.writeAll(ctx, steps, p); err != nil {
			return nil, false, err
		}
	}
	pointers, err := links(s, p, steps)
	if err != nil {
		return nil, false, err
	}
	steps = append(steps, pointers...)
	if !slices.ContainsFunc(steps, func(st step) bool { return st.Action == Installed || st.Action == Linked }) {
		return steps, false, nil
	}
	return steps, true, s.change(steps, before, next)
}

// writeAll writes all programs that are to be written. Of some only then it
// shows that they are what the folder has.
func (b builder) writeAll(ctx context.Context, steps []step, p Plan) error {
	for i := range steps {
		st := &steps[i]
		if st.how != write {
			continue
		}
		sum, err := b.write(ctx, st, p.Mode)
		if err != nil {
			return err
		}
		if err := b.spare(ctx, st, sum, p.Mode); err != nil {
			return err
		}
		if st.how != write {
			if err := b.root.Remove(setPath(b.to, st.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
