package rebuild_test

import (
	"debug/buildinfo"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/versions"
)

// testOlder builds a tree as before v1.30, which has no workspace and trims paths
// with flags of the compiler.
func testOlder(s *site) {
	older := must(versions.ParseVersion("v1.98.0"))(s)
	s.write(s.dates(), []byte(`{"schema":1,"releases":[{"version":"v1.98.0","phases":{`+
		`"node":{"date":"2024-01-17T15:49:02Z","source":"search"},"client":{"date":"2024-01-17T15:51:03Z","source":"search"}}}]}`))
	build := func(binary string, want versions.Digest) rebuild.Outcome {
		outcomes, err := s.rebuilder().Run(s.Context(), older, []rebuild.Job{{Key: results.Key{Version: older, Binary: binary, Platform: platform("linux/amd64")}, Want: want}})
		if err != nil || len(outcomes) != 1 {
			s.Fatalf("%s: outcomes %v, error %v, want one outcome", binary, outcomes, err)
		}
		return outcomes[0]
	}
	for _, binary := range []string{"kubectl", "tool"} {
		first := build(binary, noDigest)
		if first.Status != rebuild.Differs {
			s.Errorf("%v, want it built", first)
			continue
		}
		if again := build(binary, first.Got); again.Status != rebuild.Matched {
			s.Errorf("%v, want the same bytes again", again)
		}
		info := must(buildinfo.ReadFile(first.Path))(s)
		for _, setting := range info.Settings {
			if setting.Key == "-trimpath" {
				s.Errorf("%s: has -trimpath of go, want that of the compiler only", binary)
			}
		}
	}
	if o := build("kubelet", noDigest); o.Status != rebuild.Unbuildable || o.Transient || !strings.Contains(o.Reason, "random name") {
		s.Errorf("%v, want it unbuildable because of cgo and a random name", o)
	}
}
