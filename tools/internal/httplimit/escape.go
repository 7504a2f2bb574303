package httplimit

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escape escapes the control characters in the text of a server: terminals would
// interpret them.
func Escape(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if char := text[:size]; strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1) {
			b.WriteString(char)
		} else {
			quoted := strconv.Quote(char)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}

// EscapeError returns err with [Escape] applied to its text. A nil err is returned
// as is.
func EscapeError(err error) error {
	if err == nil {
		return nil
	}
	return escapedError{err}
}

type escapedError struct{ error }

func (e escapedError) Error() string { return Escape(e.error.Error()) }

func (e escapedError) Unwrap() error { return e.error }
