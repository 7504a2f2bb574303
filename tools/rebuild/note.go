package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// searchNote remembers how far a search is, for the next run.
type searchNote struct{ path string }

// searched is how far one question was tried of one program. Where the commit
// or the sources came to be known better, the program is another one.
type searched struct {
	Program, Want, Question string
	Next                    int64
}

func (n searchNote) next(of searched) (int64, error) {
	var all []searched
	data, err := os.ReadFile(n.path)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading how far the search is: %w", err)
	}
	if json.Unmarshal(data, &all) != nil {
		return 0, nil // begin anew
	}
	for _, s := range all {
		if s.same(of) {
			return s.Next, nil
		}
	}
	return 0, nil
}

func (s searched) same(t searched) bool {
	return s.Program == t.Program && s.Want == t.Want && s.Question == t.Question
}

func (n searchNote) save(now searched) error {
	var all []searched
	if data, err := os.ReadFile(n.path); err == nil {
		_ = json.Unmarshal(data, &all)
	}
	all = slices.DeleteFunc(all, now.same)
	data, err := json.Marshal(append(all, now))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(n.path), 0o755); err != nil {
		return fmt.Errorf("noting how far the search is: %w", err)
	}
	return writeFile(n.path, data)
}
