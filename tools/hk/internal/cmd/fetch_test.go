package cmd

import (
	"io"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

func TestPinOf(t *testing.T) {
	c, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]struct {
		code int
		err  string
	}{
		"kubernetes/v1.36.0/linux/amd64/kubelet": {},
		"debian/proxy/linux/arm64/libc6":         {},
		"debian/proxy/linux/arm64/none":          {cli.ExitFailed, "fetching debian/proxy/linux/arm64/none: not pinned in versions/lock.json"},
		"kubernetes/v1.0.0/linux/amd64/kubelet":  {cli.ExitFailed, "not pinned"},
		"libc6":                                  {cli.ExitUsage, `key: "libc6" is not SOURCE/VERSION/OS/ARCH/FILE`},
	} {
		pin, err := pinOf(c.Lock, key)
		if want.err == "" {
			if err != nil || pin.FileKey.String() != key || pin.SHA256 == (versions.Digest{}) {
				t.Errorf("%s: got %+v, %v", key, pin, err)
			}
			continue
		}
		if err == nil || cli.Code("", io.Discard, err) != want.code || !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: got %v", key, err)
		}
	}
}
