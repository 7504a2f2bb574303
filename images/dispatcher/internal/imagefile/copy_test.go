package imagefile

import (
	"bytes"
	"context"
	"io"
)

// memory is an output in memory.
type memory struct {
	bytes.Buffer
	ended []string
}

func (m *memory) Commit() error  { m.ended = append(m.ended, "commit"); return nil }
func (m *memory) Discard() error { m.ended = append(m.ended, "discard"); return nil }

// copyFile writes the file at path to w.
func copyFile(ctx context.Context, w io.Writer, path string, limit int64, layers []Layer) error {
	f := File{Path: path, Create: func() (Output, error) { return &memory{}, nil }, Done: func(o Output, err error) error {
		if err == nil {
			_, err = o.(*memory).WriteTo(w)
		}
		return err
	}}
	return Extract(ctx, []File{f}, limit, layers, make(chan struct{}, 3))
}
