package debian

import "testing"

func TestMappedIDs(t *testing.T) {
	for text, want := range map[string]int{
		"         0          0 4294967295\n":                                   4294967295,
		"         0       1000          1\n":                                   1,
		"         0       1000          1\n         1     100000      65536\n": 65537,
		"": 0,
	} {
		if got := mappedIDs(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
