package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	//lint:ignore SA1007 the URL is malformed on purpose
	_, parseErr := url.Parse("https://user:secret@proxy.example/%zz")
	for _, test := range []struct {
		err     error
		code    int
		message string
	}{
		{nil, 0, ""},
		{errors.New("x"), ExitFailed, "hk: x\n"},
		{Usage("x"), ExitUsage, "hk: x\n"},
		{fmt.Errorf("a: %w", Exit(ExitDrift, errors.New("x"))), ExitDrift, "hk: a: x\n"},
		{Exit(0, nil), 0, ""},
		{parseErr, ExitFailed, "hk: parse \"https://REDACTED@proxy.example/%zz\": invalid URL escape \"%zz\"\n"},
	} {
		var b strings.Builder
		if code := Code("hk", &b, test.err); code != test.code || b.String() != test.message {
			t.Errorf("%v: got exit code %d and %q", test.err, code, b.String())
		}
	}
}
