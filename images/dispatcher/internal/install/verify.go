package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/pins"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// imageLock is the path of the file of pins in images that have one.
const imageLock = "/usr/share/hyperkube/lock.json"

// verify compares all files with the record of their set and with the checksums of a
// lock.
func verify(ctx context.Context, env Env) (int, error) {
	var o options
	flags := o.flags()
	lock := flags.String("lock", "", "")
	requireOfficial := flags.Bool("official", false, "")
	if err := o.parse(flags, env.Args); err != nil {
		return exitUsage, err
	}
	known, err := readLock(*lock)
	if err != nil {
		return exitFailed, err
	}
	sets, err := toolset.Inspect(ctx, o.toolset(env.Err), true)
	if err != nil {
		return exitFailed, err
	}
	if sets == nil {
		return exitFailed, fmt.Errorf("verifying %q: nothing is installed", o.dir)
	}
	rows := [][]string{{"SET", "NAME", "STATE", "VERSION", "OFFICIAL", "SHA256"}}
	var errs []error
	for _, set := range sets {
		warnRecord(env, set)
		for _, m := range set.Members {
			cells, err := verifyMember(m, known, *requireOfficial)
			if err != nil {
				errs = append(errs, fmt.Errorf("verifying %q of the %s set in %q: %w", m.Name, setName(set), o.dir, err))
			}
			rows = append(rows, append([]string{setName(set), m.Name}, cells...))
		}
	}
	if code, err := printTable(env, rows); err != nil {
		return code, err
	}
	if err := errors.Join(errs...); err != nil {
		return exitDrift, err
	}
	return 0, nil
}

// verifyMember returns the state, version, official status and sum of a member.
func verifyMember(m toolset.Member, known pins.Pins, requireOfficial bool) (cells []string, err error) {
	err = m.Verify()
	var status pins.Status
	version, sum := "", ""
	if m.Target == "" && m.Got != (checksum.Sum{}) {
		claim := pins.Pin{Version: m.Version, Platform: "linux/" + runtime.GOARCH, File: m.Program}
		claim, status = known.Check(m.Got, claim)
		version, sum = claim.Version, m.Got.String()
		// Programs of a set without a record can still be official.
		if !m.Recorded && m.Err == nil && status == pins.Official {
			err = nil
		}
		if requireOfficial && status != pins.Official {
			err = errors.Join(err, fmt.Errorf("not known as official: version %q, sha256 %s", version, sum))
		}
	}
	state := "ok"
	if err != nil {
		state = "FAILED"
	}
	return []string{state, version, string(status), sum}, err
}

// readLock reads the lock at path, or that of the image if path is "".
func readLock(path string) (pins.Pins, error) {
	if path != "" {
		return pins.Read(path)
	}
	known, err := pins.Read(imageLock)
	if errors.Is(err, fs.ErrNotExist) {
		return pins.Pins{}, nil
	}
	return known, err
}
