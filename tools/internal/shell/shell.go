// Package shell writes words for a POSIX shell.
package shell

import "strings"

// Quote is a word that the shell reads as s, whatever is in it but a NUL.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
