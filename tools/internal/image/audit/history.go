package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// history is a file with the digests of all audits, which is only ever appended to. The
// memory of one repository is read from it.
type history struct {
	file       *os.File // nil: nothing is kept
	repository string
	now        func() time.Time
	tags       map[string]*memory
	torn       bool // the last line is incomplete

	mu      sync.Mutex
	pending entry
	flushed time.Time
	err     error
}

// entry is a line of the history.
type entry struct {
	Time       time.Time         `json:"time"`
	Repository string            `json:"repository"`
	Event      string            `json:"event,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"` // digests that were not seen before
	Same       []string          `json:"same,omitempty"` // tags that still have the digest seen last
}

// The events of entries.
const (
	eventComplete = "complete" // the audit has checked all tags
	eventAccept   = "accept"   // the digests of the tags are the right ones; "" for no such tag
)

// memory has the digests of a tag since it was last accepted.
type memory struct {
	first, last string
	moves       []Move
	checked     time.Time // by an audit that is not complete
}

// Move is a change of a tag.
type Move struct {
	From string    `json:"from"`
	To   string    `json:"to"`
	Seen time.Time `json:"seen"` // by this audit
}

func (m *memory) see(digest string, at time.Time) {
	if digest != m.last {
		m.moves = append(m.moves, Move{m.last, digest, at})
		m.last = digest
	}
	m.checked = at
}

const (
	maxHistory = 1 << 30 // bytes
	maxLine    = 1 << 20
	// A line is written for so many tags, and after so much time.
	flushTags  = 100
	flushAfter = 5 * time.Second
)

// openHistory reads the history of a repository; file may be "". The file stays locked
// until it is closed.
func openHistory(file, repository string, now func() time.Time) (*history, error) {
	h := &history{repository: repository, now: now, tags: map[string]*memory{}, flushed: now()}
	if file == "" {
		return h, nil
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the history: %w", err)
	}
	h.file = f
	if err := h.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the history %q: %w", file, err), f.Close())
	}
	return h, nil
}

func (h *history) read() error {
	info, err := h.file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("want a regular file")
	case info.Size() > maxHistory:
		return fmt.Errorf("want at most %d bytes, got %d. Fix: begin another file", maxHistory, info.Size())
	}
	locked, err := lockfile.TryLock(h.file)
	if err != nil {
		return err
	}
	if !locked {
		return errors.New("another audit writes it. Fix: wait for its end")
	}
	lines := bufio.NewReaderSize(h.file, maxLine)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			h.torn = len(line) > 0
			if err := h.add(line); err != nil { // it may have everything but the line feed
				return fmt.Errorf("line %d: %w", n, err)
			}
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("line %d has more than %d bytes", n, maxLine)
		case err != nil:
			return err
		}
		if err := h.add(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// add adds a line to the memory. A line that ends early is not an error: the audit that
// wrote it was killed. A crash of the machine may leave zeros in its place.
func (h *history) add(line []byte) error {
	var e entry
	err := json.NewDecoder(bytes.NewReader(bytes.Trim(line, "\x00\n"))).Decode(&e)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	case err != nil:
		return err
	}
	for tag, digest := range e.Tags {
		if _, err := v1.NewHash(digest); err != nil && (digest != "" || e.Event != eventAccept) {
			return fmt.Errorf("tag %q: want a digest, got %q", tag, digest)
		}
	}
	if e.Repository == h.repository {
		h.apply(e)
	}
	return nil
}

func (h *history) apply(e entry) {
	for tag, digest := range e.Tags {
		m := h.tags[tag]
		switch {
		case e.Event == eventAccept && digest == "":
			delete(h.tags, tag)
		case e.Event == eventAccept:
			h.tags[tag] = &memory{first: digest, last: digest}
		case m == nil:
			h.tags[tag] = &memory{first: digest, last: digest, checked: e.Time}
		default:
			m.see(digest, e.Time)
		}
	}
	for _, tag := range e.Same {
		if m := h.tags[tag]; m != nil {
			m.checked = e.Time
		}
	}
	if e.Event == eventComplete {
		for _, m := range h.tags {
			m.checked = time.Time{}
		}
	}
}

// digestSince returns the digest of a tag that an interrupted audit has checked after a
// time, or "". Concurrent calls are safe.
func (h *history) digestSince(tag string, after time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.tags[tag]; m != nil && m.checked.After(after) && !m.checked.After(h.now()) {
		return m.last
	}
	return ""
}

// see adds the digest of a tag. Concurrent calls are safe; end returns the error.
func (h *history) see(tag, digest string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.tags[tag]; m != nil && m.last == digest {
		h.pending.Same = append(h.pending.Same, tag)
	} else {
		if h.pending.Tags == nil {
			h.pending.Tags = map[string]string{}
		}
		h.pending.Tags[tag] = digest
	}
	if len(h.pending.Tags)+len(h.pending.Same) >= flushTags || h.now().Sub(h.flushed) > flushAfter {
		h.flush("")
	}
}

// accept takes the current digests of tags for the right ones.
func (h *history) accept(tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	h.pending = entry{Tags: tags}
	return h.flush(eventAccept)
}

// end writes what was not written yet.
func (h *history) end(complete bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case complete:
		return h.flush(eventComplete)
	case len(h.pending.Tags)+len(h.pending.Same) > 0:
		return h.flush("")
	}
	return h.err
}

// flush writes a line, which is on disk when flush returns. After an error it writes no
// more lines.
func (h *history) flush(event string) error {
	e := h.pending
	e.Time, e.Repository, e.Event = h.now().UTC().Truncate(time.Second), h.repository, event
	slices.Sort(e.Same)
	h.pending, h.flushed = entry{}, h.now()
	h.apply(e)
	if h.file == nil || h.err != nil {
		return h.err
	}
	line, err := json.Marshal(e)
	if err == nil {
		if line = append(line, '\n'); h.torn {
			line = append([]byte{'\n'}, line...)
		}
		_, err = h.file.Write(line)
		h.torn = err != nil
	}
	if err == nil {
		err = h.file.Sync()
	}
	if err != nil {
		h.err = fmt.Errorf("writing the history: %w", err) // the line may be incomplete
	}
	return h.err
}

func (h *history) close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}
