package folder

import (
	"errors"
	"io/fs"
)

// change completes the next set, which has what was to be written, and switches
// to it.
func (s *state) change(steps []step, before, next int) error {
	owned, err := s.owned()
	if err != nil {
		return err
	}
	if err := s.complete(next, steps, owned); err != nil {
		return err
	}
	if s.visible(steps) {
		if err := s.showAll(before, steps, owned); err != nil {
			return err
		}
		if err := switchTo(s.root, before); err != nil {
			return err
		}
	}
	if err := enter(s.root, steps); err != nil {
		return err
	}
	return switchTo(s.root, next)
}

// owned are the names that earlier runs brought and that still have their link.
func (s *state) owned() (map[string]bool, error) {
	owned := map[string]bool{}
	for name := range s.members {
		is, err := s.look(name)
		if err != nil {
			return nil, err
		}
		if is == ours {
			owned[name] = true
		}
	}
	return owned, nil
}

func (s *state) complete(number int, steps []step, owned map[string]bool) error {
	b, err := newSet(s, number)
	if errors.Is(err, fs.ErrExist) {
		b, err = builder{s, number}, nil
	}
	if err != nil {
		return err
	}
	planned := map[string]how{}
	for _, st := range steps {
		planned[st.Name] = st.how
	}
	comes := func(name string) bool {
		if how, ok := planned[name]; ok {
			return how != leave
		}
		return owned[name]
	}
	// What is kept stays what it is, whatever it is a link to becomes.
	stays := func(name string) bool {
		if how, ok := planned[name]; ok {
			return how == carry
		}
		return owned[name]
	}
	for _, st := range steps {
		switch st.how {
		case carry:
			if st.Action == Kept {
				err = b.carry(st.Name, stays)
				break
			}
			err = b.carry(st.Name, comes)
		case point:
			err = b.root.Symlink(st.text, setPath(number, st.Name))
		}
		if err != nil {
			return err
		}
	}
	for name := range owned {
		if _, ok := planned[name]; ok {
			continue
		}
		if err := b.carry(name, comes); err != nil {
			return err
		}
	}
	return b.flush()
}

// visible tells whether making the links would be seen before the switch: a
// link would take the place of something, or lead to a program of the current
// set that the folder does not show.
func (s *state) visible(steps []step) bool {
	for _, st := range steps {
		if st.how == leave || st.was == ours {
			continue
		}
		if _, has := s.members[st.Name]; has || st.was != absent {
			return true
		}
	}
	return false
}

// showAll makes a set that has exactly what the folder shows.
func (s *state) showAll(number int, steps []step, owned map[string]bool) error {
	b, err := newSet(s, number)
	if err != nil {
		return err
	}
	for name := range owned {
		if err := b.carry(name, func(name string) bool { return owned[name] }); err != nil {
			return err
		}
	}
	for _, st := range steps {
		if st.how == leave || st.was == ours || st.was == absent {
			continue
		}
		if err := b.show(st.Name, st.was); err != nil {
			return err
		}
	}
	return b.flush()
}
