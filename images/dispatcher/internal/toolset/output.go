package toolset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// output is a file of a set with a temporary name.
type output struct {
	builder
	st        *step
	mode      fs.FileMode
	temporary string
	f         *os.File
	digester  *checksum.Digester
	w         io.Writer
	written   int64
	begun     int64 // bytes whose writing to disk has begun
}

// writeAll writes the programs into the set. If the sum was unknown before, a
// program may turn out to be the installed one.
func (b builder) writeAll(ctx context.Context, steps []step, p Plan) error {
	var jobs []Job
	var numbers atomic.Int64
	for i := range steps {
		st := &steps[i]
		if st.method == write {
			jobs = append(jobs, Job{st.content, func() (Output, error) {
				o, err := b.create(ctx, st, p.Mode, "."+strconv.FormatInt(numbers.Add(1), 10))
				if err != nil {
					return nil, err
				}
				return o, nil
			}})
		}
	}
	if err := p.Fetch(ctx, jobs); err != nil {
		return err
	}
	for i := range steps {
		st := &steps[i]
		if st.method != write {
			continue
		}
		info, err := b.root.Lstat(setPath(b.to, st.Name))
		if err != nil {
			return err
		}
		if err := b.skipIfEqual(ctx, st, st.Sum, info.Size(), p.Mode); err != nil {
			return err
		}
		if st.method != write {
			if err := b.root.Remove(setPath(b.to, st.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b builder) create(ctx context.Context, st *step, mode fs.FileMode, temporary string) (*output, error) {
	o := &output{builder: b, st: st, mode: mode, temporary: setPath(b.to, temporary), digester: checksum.NewDigester()}
	var err error
	if o.f, err = b.root.OpenFile(o.temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	o.w = contextWriter{ctx, io.MultiWriter(o.f, o.digester)}
	return o, nil
}

// writebackSize is the number of bytes after which writing them to disk begins, so
// that syncing the complete file takes less time.
const writebackSize = 8 << 20

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.written += int64(n)
	if o.written-o.begun >= writebackSize {
		startWriteback(o.f, o.begun, o.written-o.begun)
		o.begun = o.written
	}
	return n, err
}

// Commit verifies the sum, and makes the file the program of the step.
func (o *output) Commit() error {
	err := func() error {
		if o.st.want != nil {
			if err := o.digester.Check(*o.st.want); err != nil {
				return fmt.Errorf("verifying %q from %s: %w", o.st.Name, o.st.content, err)
			}
		}
		if err := o.f.Chmod(o.mode); err != nil {
			return err
		}
		return o.f.Sync()
	}()
	if err != nil {
		return errors.Join(err, o.Discard())
	}
	o.st.Sum = o.digester.Sum()
	return errors.Join(o.f.Close(), o.root.Rename(o.temporary, setPath(o.to, o.st.Name)))
}

// Discard removes the file.
func (o *output) Discard() error { return errors.Join(o.f.Close(), o.root.Remove(o.temporary)) }
