package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

// source is the lock's name for what upstream publishes.
const source = "kubernetes"

// config is the whole command line, checked.
type config struct {
	version    versions.Version
	binaries   []string // empty: those of the flavors
	platforms  []versions.Platform
	store      string
	cache      string // everything kept between runs
	dates      string
	goSum      string
	provenance string
	again      bool
	search     bool
	phase      string // search this phase even if its date is known
	window     window // zero: where the date usually is
	survey     bool
	record     bool
	table      bool
	plan       bool
	compilers  int    // at once
	root       string // of this repository; "" where it is not needed
}

func parse(env cli.Env) (config, error) {
	fs := flag.NewFlagSet("rebuild", flag.ContinueOnError)
	version := fs.String("version", "", "Kubernetes `version` to rebuild, such as v1.36.0")
	binary := fs.String("binary", "", "comma-separated `names`; \"all\" for every one the lock has; default: those of all flavors")
	platform := fs.String("platform", "linux/amd64,linux/arm64", "comma-separated `platforms`")
	store := fs.String("store", "", "`folder` to put matches into (default $HYPERKUBE_STORE, or store in the cache folder; -survey keeps nothing without it)")
	dates := fs.String("dates", "", "`file` of build dates (default "+builddate.File+" in this repository)")
	goSum := fs.String("gosum", "", "go.sum `file` to trust instead of the Go checksum database")
	provenance := fs.String("provenance", "", "`file` to write an in-toto statement for each match to, one a line")
	again := fs.Bool("again", false, "rebuild what is in the store, too (as -provenance does)")
	survey := fs.Bool("survey", false, "rebuild version after version that there is no result of, and record the results; a later run goes on")
	compilers := fs.Int("compilers", min(2, runtime.NumCPU()), "`number` of compilers that run at once, with up to 1 GiB of memory each")
	plan := fs.Bool("plan", false, "print the go commands, do not run them")
	table := fs.Bool("table", false, "do nothing but write the table of "+results.DocFile+" anew from "+results.File)
	record := fs.Bool("record", false, "write results to "+results.File+" and the table of "+results.DocFile)
	search := fs.Bool("search", false, "find the build dates that are not known of -version, on the first -platform, and write them down")
	phase := fs.String("phase", "", "search the date of this `phase` only, be it known or not: server, node, client")
	from := fs.String("from", "", "search from this `date` on, such as 2024-01-17T15:46:26Z (default where it usually is)")
	to := fs.String("to", "", "search up to this `date`")
	if err := cli.Parse(fs, env, false); err != nil {
		return config{}, err
	}
	c := config{store: *store, dates: *dates, goSum: *goSum, provenance: *provenance, again: *again, search: *search, phase: *phase, survey: *survey, record: *record || *survey || *table, table: *table, plan: *plan, compilers: *compilers}
	var errs []error
	var err error
	if c.survey || c.table {
		if *version != "" || *binary != "" || c.search || c.provenance != "" {
			errs = append(errs, errors.New("-survey and -table go with none of -version, -binary, -search, -provenance"))
		}
	} else if c.version, err = versions.ParseVersion(*version); err != nil {
		errs = append(errs, fmt.Errorf("-version: %w", err))
	}
	if c.search && (*binary != "" || *record || c.plan || c.provenance != "") {
		errs = append(errs, errors.New("-search goes with none of -binary, -record, -plan, -provenance"))
	}
	if c.plan && (c.provenance != "" || c.record) {
		errs = append(errs, errors.New("-plan builds nothing, and goes with none of -provenance, -record, -survey"))
	}
	if c.compilers < 1 {
		errs = append(errs, fmt.Errorf("-compilers: want 1 or more, got %d", c.compilers))
	}
	c.again = c.again || c.plan || c.provenance != ""
	c.binaries = list(*binary)
	for _, name := range list(*platform) {
		p, err := versions.ParsePlatform(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("-platform: %w", err))
		}
		c.platforms = append(c.platforms, p)
	}
	if len(c.platforms) == 0 {
		errs = append(errs, errors.New("-platform: names none"))
	}
	if *from != "" || *to != "" {
		w, err := parseWindow(*from, *to)
		errs = append(errs, err)
		c.window = w
		if c.phase == "" {
			errs = append(errs, errors.New("-from and -to need -phase"))
		}
	}
	if c.phase != "" && !c.search {
		errs = append(errs, errors.New("-phase needs -search"))
	}
	if err := errors.Join(errs...); err != nil {
		return config{}, cli.Usage("%w", err)
	}
	return c, c.place(env)
}

func parseWindow(from, to string) (window, error) {
	f, err := time.Parse(redate.Layout, from)
	if err != nil {
		return window{}, fmt.Errorf("-from: %w", err)
	}
	t, err := time.Parse(redate.Layout, to)
	if err != nil {
		return window{}, fmt.Errorf("-to: %w", err)
	}
	if t.Before(f) {
		return window{}, fmt.Errorf("-to: %s is before -from", to)
	}
	return window{f, t}, nil
}

// place fills in the folders and files that were not named.
func (c *config) place(env cli.Env) error {
	dir, err := cachedir.Dir(env.Getenv)
	if err != nil {
		return err
	}
	c.cache = filepath.Join(dir, "rebuild")
	// A survey would fill the disk with binaries that nobody asked for.
	if c.store == "" && !c.survey {
		if c.store, err = cachedir.Store(env.Getenv); err != nil {
			return err
		}
	}
	if c.dates == "" || c.record {
		if c.root, err = repository(env.Dir); err != nil {
			return err
		}
	}
	if c.dates == "" {
		c.dates = filepath.Join(c.root, filepath.FromSlash(builddate.File))
	}
	for _, name := range []*string{&c.store, &c.dates, &c.goSum, &c.provenance} {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(env.Dir, *name)
		}
	}
	return nil
}

// list splits at commas, without empty and repeated parts.
func list(s string) []string {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}
