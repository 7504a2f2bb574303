package shell

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "plain", "it's", "$HOME `id` \\", "'"} {
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+Quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("shell parses %s as %q (error %v), want %q", Quote(s), out, err, s)
		}
	}
}
