package toolset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"golang.org/x/sync/errgroup"
)

// method is the way in which a name gets into the new set.
type method int

const (
	skip    method = iota // not at all: the file of the directory is right
	reuse                 // from the current set
	write                 // from its content
	symlink               // as a symlink
)

// step is the change of one name of the plan.
type step struct {
	Result
	method method
	before entryKind // of the name, before this run
	// For write: the content, and its sum or nil if it is unknown.
	content Content
	want    *checksum.Sum
	// For symlink: the target, relative to the set.
	target string
}

// decide returns a step for each program. It changes nothing.
func decide(ctx context.Context, s *state, p Plan) ([]step, error) {
	var steps []step
	// Programs to keep come first: checking them needs no network.
	for _, program := range p.Programs {
		before, err := s.replaceable(program.Name)
		if err != nil {
			return nil, err
		}
		st := step{Result: Result{Name: program.Name}, before: before}
		if program.Content == nil {
			if err := s.decideKeep(ctx, &st, program.Sum); err != nil {
				return nil, err
			}
		}
		steps = append(steps, st)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for i, program := range p.Programs {
		if program.Content != nil {
			group.Go(func() error { return s.decideWrite(groupCtx, &steps[i], program.Content, p.Mode) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return steps, s.checkKept(steps, p.Links)
}

// checkKept returns an error if a program to keep is a symlink to a name that
// this run replaces. (A symlink within the set is no error: the new set has a
// hard link to its target instead.)
func (s *state) checkKept(steps []step, links []Link) error {
	for _, kept := range steps {
		if kept.Action != Kept {
			continue
		}
		target, err := s.externalTarget(kept)
		if err != nil {
			return err
		}
		replaced := slices.ContainsFunc(links, func(l Link) bool { return l.Name == target }) ||
			slices.ContainsFunc(steps, func(st step) bool { return st.Name == target && st.method == write })
		if replaced {
			return &DriftError{fmt.Errorf("keeping %q in %q: symlink to %q, which would be replaced; keep %[3]q as well, or omit %[1]q", kept.Name, s.root.Name(), target)}
		}
	}
	return nil
}

// externalTarget returns the target of a symlink that leads out of the set, to a
// file of the directory. It returns "" for other files.
func (s *state) externalTarget(st step) (string, error) {
	switch st.before {
	case managed:
		if target, ok := strings.CutPrefix(s.members[st.Name], fromSet); ok {
			return target, nil
		}
	case foreignSymlink:
		return s.root.Readlink(st.Name)
	}
	return "", nil
}

// decideKeep checks a program to keep.
func (s *state) decideKeep(ctx context.Context, st *step, want *checksum.Sum) error {
	got, err := s.sum(ctx, st.Name)
	if err != nil && st.before == foreignSymlink {
		if target, _ := s.root.Readlink(st.Name); path.IsAbs(target) {
			return &DriftError{fmt.Errorf("keeping %q in %q: symlink to %q cannot be followed in this container; make it relative, or omit %[1]q", st.Name, s.root.Name(), target)}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &DriftError{fmt.Errorf("keeping %q: not found in %q", st.Name, s.root.Name())}
	case err != nil:
		return &DriftError{fmt.Errorf("keeping %q: %w", st.Name, err)}
	case want != nil && got != *want:
		return &DriftError{fmt.Errorf("keeping %q in %q: want sha256 %s, got %s", st.Name, s.root.Name(), want, got)}
	}
	st.Action, st.Sum = Kept, got
	if st.before == managed {
		st.method = reuse
	}
	return nil
}

// decideWrite checks whether a program must be written.
func (s *state) decideWrite(ctx context.Context, st *step, content Content, mode fs.FileMode) error {
	_, installed, err := s.installed(st, mode)
	if err != nil {
		return err
	}
	size := int64(-1)
	if installed != nil {
		size = installed.Size()
	}
	st.content, st.method, st.Action = content, write, Installed
	if st.want, err = content.Sum(ctx, size); err != nil || st.want == nil {
		return err
	}
	return s.skipIfEqual(ctx, st, *st.want, size, mode)
}

// skipIfEqual makes a step that writes a program one that does not if the
// installed program has the same sum, size and mode.
func (s *state) skipIfEqual(ctx context.Context, st *step, want checksum.Sum, size int64, mode fs.FileMode) error {
	st.Sum = want
	path, info, err := s.installed(st, mode)
	if err != nil || info == nil || info.Size() != size {
		return err
	}
	got, err := s.sum(ctx, path)
	if err != nil || got != want {
		return err
	}
	st.method, st.Action = skip, Unchanged
	if st.before == managed {
		st.method = reuse
	}
	return nil
}

// installed returns the path of the installed program, and nil if there is none or
// it has another mode.
func (s *state) installed(st *step, mode fs.FileMode) (path string, _ fs.FileInfo, err error) {
	path = st.Name
	switch st.before {
	case managed:
		if target, ok := s.members[st.Name]; !ok || target != "" {
			return "", nil, nil
		}
		path = setPath(s.number, st.Name)
	case regularFile:
	default:
		return "", nil, nil
	}
	info, err := s.root.Lstat(path)
	if err != nil || info.Mode() != mode {
		return "", nil, err
	}
	return path, info, nil
}

// decideLinks returns a step for each link. The steps of the programs say which
// programs the new set will have.
func decideLinks(s *state, p Plan, programs []step) ([]step, error) {
	inSet := map[string]bool{}
	for _, st := range programs {
		inSet[st.Name] = st.method != skip
	}
	var steps []step
	for _, l := range p.Links {
		before, err := s.replaceable(l.Name)
		if err != nil {
			return nil, err
		}
		st := step{Result: Result{Name: l.Name, Action: Linked, Target: l.Target}, method: symlink, before: before, target: l.Target}
		if !inSet[l.Target] {
			st.target = fromSet + l.Target
		}
		if before == managed && s.members[l.Name] == st.target {
			st.Action = Unchanged
		}
		steps = append(steps, st)
	}
	return steps, nil
}
