package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// list prints the programs of the current set and the previous one.
func list(ctx context.Context, env Env) (int, error) {
	var o options
	if err := o.parse(o.flags(), env.Args); err != nil {
		return exitUsage, err
	}
	sets, err := toolset.Inspect(ctx, o.toolset(env.Err), false)
	if err != nil {
		return exitFailed, err
	}
	rows := [][]string{{"SET", "INSTALLED", "NAME", "VERSION", "SINCE", "SHA256", "SOURCE"}}
	for _, set := range sets {
		warnRecord(env, set)
		for _, m := range set.Members {
			sum, source := "", m.Source
			if m.Recorded {
				sum = m.Sum.String()
			}
			if m.Target != "" {
				source = "-> " + m.Target
			}
			rows = append(rows, []string{setName(set), date(set.Time), m.Name, m.Version, date(m.Since), sum, source})
		}
	}
	return printTable(env, rows)
}

// printTable prints rows in columns. The first row is the header.
func printTable(env Env, rows [][]string) (int, error) {
	w := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if cell == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return exitFailed, err
	}
	return 0, nil
}

func setName(set toolset.Set) string {
	if set.Current {
		return "current"
	}
	return "previous"
}

// warnRecord reports a record that cannot be read. Sets of former versions have none.
func warnRecord(env Env, set toolset.Set) {
	if set.RecordErr != nil && !errors.Is(set.RecordErr, fs.ErrNotExist) {
		fmt.Fprintf(env.Err, "%s: %v\n", component.Dispatcher, set.RecordErr)
	}
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
