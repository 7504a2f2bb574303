package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// how a name gets into the new set.
type how int

const (
	leave how = iota // not at all: the folder's own file is right
	carry            // the current set's
	write            // from its content
	point            // as a link
)

// step is what is to be done about one name of the plan.
type step struct {
	Result
	how     how
	was     entry
	content Content       // of write
	want    *checksum.Sum // of write, if it is known
	text    string        // of point: what the link in the set leads to
}

// decide says what is to be done about each program, and changes nothing.
func decide(ctx context.Context, s *state, p Plan) ([]step, error) {
	var steps []step
	// What must be there is looked at first: it takes no network.
	for _, program := range p.Programs {
		was, err := s.place(program.Name)
		if err != nil {
			return nil, err
		}
		st := step{Result: Result{Name: program.Name}, was: was}
		if program.Content == nil {
			if err := s.keep(ctx, &st, program.Sum); err != nil {
				return nil, err
			}
		}
		steps = append(steps, st)
	}
	for i, program := range p.Programs {
		if program.Content == nil {
			continue
		}
		if err := s.compare(ctx, &steps[i], program.Content, p.Mode); err != nil {
			return nil, err
		}
	}
	return steps, s.stays(steps, p.Links)
}

// stays wants what is kept to be no link to something that this run replaces.
// (A link inside of the set does no harm: it becomes what it leads to.)
func (s *state) stays(steps []step, links []Link) error {
	for _, kept := range steps {
		if kept.Action != Kept {
			continue
		}
		to, err := s.leadsTo(kept)
		if err != nil {
			return err
		}
		replaced := slices.ContainsFunc(links, func(l Link) bool { return l.Name == to }) ||
			slices.ContainsFunc(steps, func(st step) bool { return st.Name == to && st.how == write })
		if replaced {
			return &KeepError{fmt.Errorf("keeping %q in %q: it is a link to %q, which is to be replaced; keep that as well, or leave %q out", kept.Name, s.root.Name(), to, kept.Name)}
		}
	}
	return nil
}

// leadsTo is the name in the folder that a link leads to, past the set.
func (s *state) leadsTo(st step) (string, error) {
	switch st.was {
	case ours:
		if text, ok := strings.CutPrefix(s.members[st.Name].link, out); ok {
			return text, nil
		}
	case link:
		return s.root.Readlink(st.Name)
	}
	return "", nil
}

func (s *state) keep(ctx context.Context, st *step, want *checksum.Sum) error {
	got, err := s.sum(ctx, st.Name)
	if err != nil && st.was == link {
		if text, _ := s.root.Readlink(st.Name); path.IsAbs(text) {
			return &KeepError{fmt.Errorf("keeping %q in %q: it is a link to %q, which only the host can follow; make it a relative one, or leave %q out", st.Name, s.root.Name(), text, st.Name)}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &KeepError{fmt.Errorf("keeping %q: it is not in %q", st.Name, s.root.Name())}
	case err != nil:
		return &KeepError{fmt.Errorf("keeping %q: %w", st.Name, err)}
	case want != nil && got != *want:
		return &KeepError{fmt.Errorf("keeping %q in %q: want sha256 %s, got %s", st.Name, s.root.Name(), want, got)}
	}
	st.Action, st.Sum = Kept, got
	if st.was == ours {
		st.how = carry
	}
	return nil
}

// compare tells whether a program has to be written.
func (s *state) compare(ctx context.Context, st *step, content Content, mode fs.FileMode) error {
	want, err := content.Sum(ctx)
	if err != nil {
		return err
	}
	st.content, st.want, st.how, st.Action = content, want, write, Installed
	if want == nil {
		return nil
	}
	return s.spare(ctx, st, *want, mode)
}

// spare turns a step that would write a program into one that does not, if what
// the folder has is the same.
func (s *state) spare(ctx context.Context, st *step, want checksum.Sum, mode fs.FileMode) error {
	st.Sum = want
	at, spared := st.Name, leave
	if st.was == ours {
		if m, ok := s.members[st.Name]; !ok || m.link != "" {
			return nil
		}
		at, spared = setPath(s.number, st.Name), carry
	} else if st.was != file {
		return nil
	}
	info, err := s.root.Lstat(at)
	if err != nil {
		return err
	}
	if info.Mode() != mode {
		return nil
	}
	got, err := s.sum(ctx, at)
	if err == nil && got == want {
		st.how, st.Action = spared, Unchanged
	}
	return err
}

// links says what is to be done about the links, once it is known of each
// program whether it will be in the set.
func links(s *state, p Plan, programs []step) ([]step, error) {
	inSet := map[string]bool{}
	for _, st := range programs {
		inSet[st.Name] = st.how != leave
	}
	var steps []step
	for _, l := range p.Links {
		was, err := s.place(l.Name)
		if err != nil {
			return nil, err
		}
		st := step{Result: Result{Name: l.Name, Action: Linked, Target: l.Target}, how: point, was: was, text: l.Target}
		if !inSet[l.Target] {
			st.text = out + l.Target
		}
		if was == ours && s.members[l.Name].link == st.text {
			st.Action = Unchanged
		}
		steps = append(steps, st)
	}
	return steps, nil
}
