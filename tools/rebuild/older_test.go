package main

import (
	"debug/buildinfo"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// testOlder builds a tree of the form that was usual before 1.30.
func testOlder(s *site) {
	older := must(versions.ParseVersion("v1.98.0"))(s)
	s.write(s.dates(), []byte(`{"schema":1,"releases":[{"version":"v1.98.0","phases":{`+
		`"node":{"date":"2024-01-17T15:49:02Z","how":"search"},"client":{"date":"2024-01-17T15:51:03Z","how":"search"}}}]}`))
	build := func(r *rebuilder, binary string, want versions.Digest) outcome {
		outcomes, err := r.rebuild(s.Context(), older, []job{{older, binary, platform("linux/amd64"), want}})
		if err != nil || len(outcomes) != 1 {
			s.Fatalf("%s: outcomes %v, error %v, want one outcome", binary, outcomes, err)
		}
		return outcomes[0]
	}
	for _, binary := range []string{"kubectl", "tool"} {
		first := build(s.rebuilder(), binary, nobodys)
		if first.status != differs {
			s.Errorf("%v, want it built", first)
			continue
		}
		if again := build(s.rebuilder(), binary, first.got); again.status != matched {
			s.Errorf("%v, want the same bytes again", again)
		}
		info := must(buildinfo.ReadFile(first.kept))(s)
		for _, setting := range info.Settings {
			if setting.Key == "-trimpath" {
				s.Errorf("%s: go trimmed its paths, want the compiler alone to do it", binary)
			}
		}
	}
	if o := build(s.rebuilder(), "kubelet", nobodys); o.status != unbuildable || o.passing || !strings.Contains(o.why, "random name") {
		s.Errorf("%v, want it not to be had, for its C has a random name in it", o)
	}
}
