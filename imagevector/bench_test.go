package imagevector

import (
	"fmt"
	"strings"
	"testing"
)

// likeContainers returns a vector similar to that of Gardener: eighty entries, few of
// them with constraints.
func likeContainers() []byte {
	var b strings.Builder
	b.WriteString("images:\n")
	for i := range 60 {
		fmt.Fprintf(&b, "- name: component-%d\n  repository: registry.example.com/components/component-%d\n", i, i)
		if i%6 > 0 {
			fmt.Fprintf(&b, "  tag: v0.%d.1\n", i)
		}
	}
	for i := range 5 {
		for minor := 32; minor < 36; minor++ {
			fmt.Fprintf(&b, "- name: versioned-%d\n  repository: registry.example.com/versioned-%d\n  tag: v1.%d.0\n  targetVersion: 1.%d.x\n", i, i, minor, minor)
		}
	}
	return []byte(b.String())
}

// manyEntries returns n entries of the given number of names, each for one version.
func manyEntries(n, names int) []byte {
	var b strings.Builder
	b.WriteString("images:\n")
	for i := range n {
		fmt.Fprintf(&b, "- name: image-%d\n  sourceRepository: github.com/kubernetes/kubernetes\n  repository: registry.k8s.io/image-%d\n  tag: \"v%d\"\n  targetVersion: \"= 1.%d.%d\"\n  architectures:\n  - amd64\n  - arm64\n", i%names, i%names, i, 28+i/names%9, i/names/9)
	}
	return []byte(b.String())
}

func BenchmarkFind(b *testing.B) {
	for _, bench := range []struct {
		name string
		data []byte
	}{{"80 entries", likeContainers()}, {"10000 entries", manyEntries(10_000, 100)}} {
		v, err := Parse(bench.data)
		if err != nil {
			b.Fatal(err)
		}
		names := v.Names()
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := v.Find(names[i%len(names)], RuntimeVersion("1.33.10"), TargetVersion("1.33.10"), Architecture(arm64)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data := manyEntries(10_000, 100)
	for name, opts := range map[string][]Option{"strict": nil, "compatible": {Compatible()}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Parse(data, opts...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
