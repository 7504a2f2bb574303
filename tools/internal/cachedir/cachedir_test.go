package cachedir

import (
	"strings"
	"testing"
)

func TestDirs(t *testing.T) {
	for _, test := range []struct {
		env              map[string]string
		dir, store, want string
	}{
		{map[string]string{"HOME": "/h"}, "/h/.cache/hyperkube", "/h/.cache/hyperkube/store", ""},
		{map[string]string{"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/hyperkube", "/x/hyperkube/store", ""},
		{map[string]string{"XDG_CACHE_HOME": "/x", "HYPERKUBE_CACHE": "/c/"}, "/c", "/c/store", ""},
		{map[string]string{"HYPERKUBE_CACHE": "/c", "HYPERKUBE_STORE": "/s/"}, "/c", "/s", ""},
		{map[string]string{}, "", "", "set HYPERKUBE_CACHE, XDG_CACHE_HOME or HOME"},
		{map[string]string{"HYPERKUBE_CACHE": "c"}, "", "", `"c" is not an absolute path`},
		{map[string]string{"HYPERKUBE_CACHE": "c", "HYPERKUBE_STORE": "s"}, "", "", "is not an absolute path"},
	} {
		getenv := func(name string) string { return test.env[name] }
		for name, call := range map[string]struct {
			get  func(func(string) string) (string, error)
			want string
		}{"directory": {Dir, test.dir}, "store": {Store, test.store}} {
			got, err := call.get(getenv)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v: %s: got error %v, want %q", test.env, name, err, test.want)
				}
			} else if err != nil || got != call.want {
				t.Errorf("%v: %s: got %q, error %v, want %q", test.env, name, got, err, call.want)
			}
		}
	}
}
