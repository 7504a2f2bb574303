package toolset

import (
	"errors"
	"io/fs"
	"time"
)

// apply completes the next set, which has the written programs, and switches to
// it.
func (s *state) apply(steps []step, snapshot, next int, now time.Time) error {
	owned, err := s.owned()
	if err != nil {
		return err
	}
	previous, needsSnapshot := s.number, s.needsSnapshot(steps)
	if needsSnapshot {
		previous = snapshot
	}
	b, err := s.complete(next, steps, owned)
	if err != nil {
		return err
	}
	if err := b.addMetadata(steps, previous, now); err != nil {
		return err
	}
	if needsSnapshot {
		b, err := s.snapshot(snapshot, steps, owned)
		if err != nil {
			return err
		}
		if err := b.addMetadata(nil, s.previous, now); err != nil {
			return err
		}
		if err := b.sync(); err != nil {
			return err
		}
		if err := switchTo(s.root, snapshot); err != nil {
			return err
		}
	}
	if err := createSymlinks(s.root, steps); err != nil {
		return err
	}
	if err := b.sync(); err != nil {
		return err
	}
	return switchTo(s.root, next)
}

// owned returns the names that earlier runs installed and whose symlink still
// exists.
func (s *state) owned() (map[string]bool, error) {
	owned := map[string]bool{}
	for name := range s.members {
		kind, err := s.kindOf(name)
		if err != nil {
			return nil, err
		}
		if kind == managed {
			owned[name] = true
		}
	}
	return owned, nil
}

// complete adds everything but the written programs to the next set.
func (s *state) complete(number int, steps []step, owned map[string]bool) (builder, error) {
	b, err := newSet(s, number)
	if errors.Is(err, fs.ErrExist) {
		b, err = builder{s, number}, nil
	}
	if err != nil {
		return b, err
	}
	planned := map[string]method{}
	for _, st := range steps {
		planned[st.Name] = st.method
	}
	inNext := func(name string) bool {
		if method, ok := planned[name]; ok {
			return method != skip
		}
		return owned[name]
	}
	// A program to keep must not change with the target of its symlink.
	unchanged := func(name string) bool {
		if method, ok := planned[name]; ok {
			return method == reuse
		}
		return owned[name]
	}
	for _, st := range steps {
		switch st.method {
		case reuse:
			inSet := inNext
			if st.Action == Kept {
				inSet = unchanged
			}
			err = b.reuse(st.Name, inSet)
		case symlink:
			err = b.root.Symlink(st.target, setPath(number, st.Name))
		}
		if err != nil {
			return b, err
		}
	}
	for name := range owned {
		if _, ok := planned[name]; ok {
			continue
		}
		if err := b.reuse(name, inNext); err != nil {
			return b, err
		}
	}
	return b, nil
}

// needsSnapshot reports whether readers would see the symlinks before the
// switch: if one replaces a file, or leads to a program of the current set whose
// name is not in the directory.
func (s *state) needsSnapshot(steps []step) bool {
	for _, st := range steps {
		if st.method == skip || st.before == managed {
			continue
		}
		if _, ok := s.members[st.Name]; ok || st.before != absent {
			return true
		}
	}
	return false
}

// snapshot makes a set that has exactly the files of the directory.
func (s *state) snapshot(number int, steps []step, owned map[string]bool) (builder, error) {
	b, err := newSet(s, number)
	if err != nil {
		return b, err
	}
	for name := range owned {
		if err := b.reuse(name, func(name string) bool { return owned[name] }); err != nil {
			return b, err
		}
	}
	for _, st := range steps {
		if st.method == skip || st.before == managed || st.before == absent {
			continue
		}
		if err := b.addExisting(st.Name, st.before); err != nil {
			return b, err
		}
	}
	return b, nil
}
