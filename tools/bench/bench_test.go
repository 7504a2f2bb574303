package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func TestExceeded(t *testing.T) {
	var r result
	for _, s := range []float64{1, 9, 2} {
		r.add(s, 2, 64<<20)
	}
	for name, test := range map[string]struct {
		limits limits
		want   []string
	}{
		"none":    {limits{}, nil},
		"met":     {limits{seconds: 2, ratio: 1, mebibytes: 64}, nil},
		"seconds": {limits{seconds: 1.99}, []string{"got 2.00 s, want at most 1.99 s"}},
		"ratio":   {limits{ratio: 0.5}, []string{"got ratio 1.00, want at most 0.50"}},
		"memory":  {limits{mebibytes: 63}, []string{"got 64.0 MiB, want at most 63 MiB"}},
	} {
		if got := test.limits.exceeded(r); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got, want := r.String(), "  2.00 s, baseline   2.00 s, ratio 1.00 (0.50 to 4.50), 64 MiB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRun(t *testing.T) {
	fake := func(memory int64) prepareFunc {
		return func(context.Context, cli.Env, *workspace) (step, step, error) {
			return func(context.Context, int) (int64, error) { return memory, nil }, nil, nil
		}
	}
	broken := func(context.Context, cli.Env, *workspace) (step, step, error) { return nil, nil, errors.New("broken") }
	benchmarks := []benchmark{
		{"small", "a", limits{mebibytes: 2}, fake(2 << 20)},
		{"large", "b", limits{mebibytes: 2}, fake(3 << 20)},
		{"broken", "c", limits{}, broken},
	}
	for _, test := range []struct {
		args, out, err string
		code           int
	}{
		{"small", "small ", "", 0},
		{"large small", "small ", "bench: limits exceeded: large: got 3.0 MiB, want at most 2 MiB\n", cli.ExitDrift},
		{"broken", "", "bench: measuring broken: broken\n", cli.ExitFailed},
		{"small other", "", "bench: unknown benchmarks [\"other\"]; -list prints all\n", cli.ExitUsage},
		{"-n 0", "", "bench: -n: want 1 or more, got 0\n", cli.ExitUsage},
		{"-list", "small               a; limit: 2 MiB\nlarge ", "", 0},
	} {
		var out, stderr strings.Builder
		err := run(t.Context(), cli.Env{Args: strings.Fields(test.args), Out: &out, Err: &stderr}, benchmarks)
		code := cli.Code("bench", &stderr, err)
		if code != test.code || stderr.String() != test.err || !strings.HasPrefix(out.String(), test.out) {
			t.Errorf("%s: got exit code %d, output %q, error %q", test.args, code, &out, &stderr)
		}
	}
}
