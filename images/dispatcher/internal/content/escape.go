package content

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// escapedError is an error whose text may come from a server. Control characters
// are escaped: terminals would interpret them.
type escapedError struct{ error }

func (e escapedError) Unwrap() error { return e.error }

func (e escapedError) Error() string {
	text := e.error.Error()
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
