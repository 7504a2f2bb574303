package lint

import (
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
)

// For any two files, the linter neither panics nor contradicts itself, and its fixes
// are effective.
func FuzzRun(f *testing.F) {
	for _, over := range []string{
		"images:\n- {name: pause, repository: m/pause, targetVersion: '>=1.21', architectures: [arm64, amd64]}\n- {name: hyperkub, ref: m/x}\n",
		"images:\n- {name: pause, repository: m/pause}\n- {name: pause, repository: m/pause, version: '>= 1.21'}\n- {name: exact, repository: m/e, runtimeVersion: 1.30.2, architectures: []}\n",
		"images:\n- {name: exact, tag: v2, repository: m/e, targetVersion: '= 1.30.2'}\n- {name: exact, repository: m/f, targetVersion: '= 1.30.2', architectures: [s390x]}\n",
	} {
		f.Add([]byte(base), []byte(over))
		f.Add([]byte(over), []byte(base))
	}
	f.Add([]byte("images:\n- {name: a, repository: quay.io/a, version: 1.20.x}\n"), []byte("images:\n- {name: a, repository: m/a, version: '~1.20'}\n"))
	f.Fuzz(func(t *testing.T, vector, over []byte) {
		if len(vector)+len(over) > 4_000 {
			return
		}
		run := func(over []byte) *Report {
			r, err := Run(Config{Vector: vector, Overwrite: over})
			if err != nil {
				return nil
			}
			return r
		}
		r := run(over)
		if r == nil {
			return
		}
		for _, e := range r.Entries {
			changes := e.Verdict != Ineffective
			if changes != (len(e.Effects) > 0) || (e.Verdict == Effective || e.Verdict == Elsewhere) != (len(e.Reasons) == 0) {
				t.Fatalf("%q with effects %v and reasons %q", e.Verdict, e.Effects, e.Reasons)
			}
			for _, s := range e.Fix {
				again := run(imagevector.Render("", []imagevector.Source{s}, nil))
				if again == nil {
					t.Fatalf("the linter writes %+v, which cannot be read", s)
				}
				if v := again.Entries[0].Verdict; v != Effective {
					t.Fatalf("the fix %s has verdict %q: %q", imagevector.RenderSource(s), v, again.Entries[0].Reasons)
				}
			}
		}
	})
}
