package debroot

import (
	"bytes"
	"io"
	"strings"
)

// tail passes everything on and remembers the end, for an error message.
type tail struct {
	also io.Writer
	end  []byte
}

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p...)
	if n := len(t.end) - tailSize; n > 0 {
		t.end = append(t.end[:0], t.end[n:]...)
	}
	return t.also.Write(p)
}

// text is the last few lines, on one line.
func (t *tail) text() string {
	lines := strings.Split(string(bytes.TrimSpace(t.end)), "\n")
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	return strings.Join(lines, "; ")
}
