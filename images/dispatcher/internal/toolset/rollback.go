package toolset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// Rollback makes the previous set the current one and the current set the previous
// one. The directory then has the names of that set. Results are by name. Other
// files of the directory do not change, even if the set has their name. If a file of
// the set is not the one that was installed, nothing changes, and the error is a
// [*DriftError].
func Rollback(ctx context.Context, o Options) ([]Result, error) {
	root, err := openDir(o.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if s, err := readState(root); err != nil || s.previous == 0 {
		return nil, errors.Join(err, fmt.Errorf("rolling back %q: no previous set", o.Dir))
	}
	lock, err := acquireLock(ctx, root, o)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	results, err := rollback(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("rolling back %q: %w", o.Dir, err)
	}
	if err := cleanUp(root); err != nil {
		return results, fmt.Errorf("removing symlinks from %q: %w", o.Dir, err)
	}
	return results, nil
}

func rollback(ctx context.Context, root *os.Root) ([]Result, error) {
	if err := cleanUp(root); err != nil {
		return nil, err
	}
	s, err := readState(root)
	if err != nil {
		return nil, err
	}
	if s.previous == 0 {
		return nil, errors.New("no previous set")
	}
	set, err := s.inspect(ctx, s.previous, true)
	if err != nil {
		return nil, err
	}
	var results []Result
	var steps []step
	var errs []error
	for _, m := range set.Members {
		// A set of a former version has no record to verify its files with, and a
		// damaged record must not prevent a rollback.
		if err := m.Verify(); err != nil && set.RecordErr == nil {
			errs = append(errs, &DriftError{fmt.Errorf("verifying %q of the previous set: %w", m.Name, err)})
			continue
		}
		st, err := s.restore(ctx, m)
		errs = append(errs, err)
		steps, results = append(steps, st), append(results, st.Result)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		if !slices.ContainsFunc(results, func(r Result) bool { return r.Name == name }) {
			results = append(results, Result{Name: name, Action: Removed})
		}
	}
	if err := linkPrevious(root, s.previous, s.number); err != nil {
		return nil, err
	}
	if err := createSymlinks(root, steps); err != nil {
		return nil, err
	}
	if err := syncAll(root, setPath(s.previous, ""), "."); err != nil {
		return nil, err
	}
	return results, switchTo(root, s.previous)
}

// restore returns the step for a member of the previous set.
func (s *state) restore(ctx context.Context, m Member) (step, error) {
	st := step{Result: Result{Name: m.Name, Target: m.Target, Sum: m.Got}, method: reuse}
	var err error
	if st.before, err = s.kindOf(m.Name); err != nil {
		return st, err
	}
	if st.before != managed && st.before != absent {
		st.method, st.Action, st.Sum = skip, Skipped, checksum.Sum{}
		return st, nil
	}
	same := false
	if target, ok := s.members[m.Name]; ok && st.before == managed && target == m.Target {
		same = target != ""
		if !same {
			same, err = s.hasSum(ctx, setPath(s.number, m.Name), setPath(s.previous, m.Name), m.Got)
		}
	}
	switch {
	case same:
		st.Action = Unchanged
	case m.Target != "":
		st.Action = Linked
	default:
		st.Action = Restored
	}
	return st, err
}

// hasSum reports whether a file has the sum of another one. It reads the file only
// if neither the inode nor the size decides.
func (s *state) hasSum(ctx context.Context, name, other string, want checksum.Sum) (bool, error) {
	a, err := s.root.Stat(name)
	if err != nil {
		return false, err
	}
	b, err := s.root.Stat(other)
	if err != nil {
		return false, err
	}
	if os.SameFile(a, b) {
		return true, nil
	}
	if a.Size() != b.Size() || a.Mode() != b.Mode() {
		return false, nil
	}
	got, err := s.sum(ctx, name)
	return got == want, err
}
