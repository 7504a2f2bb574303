package toolset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Install changes a directory as planned, all or nothing. Concurrent runs in one
// directory wait for each other. Results are in the order of the plan, programs
// before links. On error nothing has changed, with two exceptions: if syncing
// the switch to disk fails, all names have changed; and if removing old sets
// fails, the error comes with the results.
func Install(ctx context.Context, p Plan) ([]Result, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	root, err := openDir(p.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	lock, err := acquireLock(ctx, root, p.Options)
	if isDenied(err) {
		done, err := check(ctx, root, p, err)
		if err != nil {
			err = fmt.Errorf("installing into %q: %w", p.Dir, err)
		}
		return done, err
	}
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	steps, err := install(ctx, root, p)
	if err != nil {
		cleanUpErr := cleanUp(root)
		removeLock(root)
		if cleanUpErr != nil && cleanUpErr.Error() == err.Error() {
			cleanUpErr = nil // the same error as that of the cleanup before the run
		}
		return nil, errors.Join(fmt.Errorf("installing into %q: %w", p.Dir, err), cleanUpErr)
	}
	if err := cleanUp(root); err != nil {
		return results(steps), fmt.Errorf("removing old programs from %q: %w", p.Dir, err)
	}
	return results(steps), nil
}

func openDir(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening directory %q: %w; create or mount it first", dir, err)
	}
	return root, nil
}

// check returns the results of a run that changes nothing, or lockErr if the plan
// requires a change.
func check(ctx context.Context, root *os.Root, p Plan, lockErr error) ([]Result, error) {
	s, err := readState(root)
	if err != nil {
		return nil, err
	}
	steps, err := decide(ctx, s, p)
	if err != nil {
		return nil, err
	}
	links, err := decideLinks(s, p, steps)
	if err != nil {
		return nil, err
	}
	steps = append(steps, links...)
	if changes(steps) {
		return nil, lockErr
	}
	return results(steps), nil
}

func results(steps []step) []Result {
	all := make([]Result, len(steps))
	for i, st := range steps {
		all[i] = st.Result
	}
	return all
}

// changes reports whether the directory must change.
func changes(steps []step) bool {
	return slices.ContainsFunc(steps, func(st step) bool { return st.Action == Installed || st.Action == Linked })
}

// install does everything but removing old sets.
func install(ctx context.Context, root *os.Root, p Plan) ([]step, error) {
	// The remains of a killed run may use disk space that this run needs.
	if err := cleanUp(root); err != nil {
		return nil, err
	}
	s, err := readState(root)
	if err != nil {
		return nil, err
	}
	steps, err := decide(ctx, s, p)
	if err != nil {
		return nil, err
	}
	snapshot, next := max(s.number, s.previous)+1, max(s.number, s.previous)+2
	if slices.ContainsFunc(steps, func(st step) bool { return st.method == write }) {
		b, err := newSet(s, next)
		if err != nil {
			return nil, err
		}
		if err := b.writeAll(ctx, steps, p); err != nil {
			return nil, err
		}
	}
	links, err := decideLinks(s, p, steps)
	if err != nil {
		return nil, err
	}
	steps = append(steps, links...)
	if !changes(steps) {
		return steps, nil
	}
	return steps, s.apply(steps, snapshot, next, p.Now)
}
