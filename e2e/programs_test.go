//go:build e2e

package e2e

import "testing"

// Builds of the programs of this repository must match their pins. After a change
// of a program: hk pin --programs.
func TestPrograms(t *testing.T) {
	empty := []string{"HYPERKUBE_STORE=" + t.TempDir()}
	for _, program := range []string{"sleep", "hyperkube", "iptables-wrapper"} {
		for _, platform := range platforms {
			if r := run(t, empty, "go", "run", "./tools/hk", "fetch", "programs/"+platform+"/"+program); r.code != 0 {
				t.Errorf("%s for %s: %s", program, platform, r.stderr)
			}
		}
	}
}
