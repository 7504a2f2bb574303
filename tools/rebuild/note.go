package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// searchNote remembers how far a search is, for the next run.
type searchNote struct{ path string }

type searched struct {
	Want, Question string
	Next           int64
}

func (n searchNote) next(want string, q question) (int64, error) {
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
		if s.Want == want && s.Question == q.String() {
			return s.Next, nil
		}
	}
	return 0, nil
}

func (n searchNote) save(want string, q question, next int64) error {
	var all []searched
	if data, err := os.ReadFile(n.path); err == nil {
		_ = json.Unmarshal(data, &all)
	}
	now := searched{want, q.String(), next}
	for i := range all {
		if all[i].Want == now.Want && all[i].Question == now.Question {
			all = append(all[:i], all[i+1:]...)
			break
		}
	}
	data, err := json.Marshal(append(all, now))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(n.path), 0o755); err != nil {
		return fmt.Errorf("noting how far the search is: %w", err)
	}
	return writeFile(n.path, data)
}
