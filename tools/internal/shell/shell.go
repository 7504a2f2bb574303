// Package shell quotes arguments for a POSIX shell.
package shell

import "strings"

// Quote returns s in single quotes. s must not contain NUL bytes.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
