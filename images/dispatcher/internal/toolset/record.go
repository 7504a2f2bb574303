package toolset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/kubeversion"
)

// Files of a set that are not members. Names of programs do not begin with a dot.
const (
	recordFile   = ".record.json"
	previousFile = ".previous" // symlink to the set before this one
)

// maxRecord is the maximum size of a record in bytes.
const maxRecord = 1 << 20

// Record describes a set. Nothing depends on it but information for people, and
// the verification of files.
type Record struct {
	Time     time.Time               `json:"time"` // of the run that made the set
	Programs map[string]Installation `json:"programs"`
}

// Installation is the origin of a program.
type Installation struct {
	Sum     checksum.Sum `json:"sha256"`
	Version string       `json:"version,omitempty"` // of Kubernetes, as the program claims
	Source  string       `json:"source,omitempty"`
	Since   time.Time    `json:"since"` // when these bytes were first installed
}

// readRecord reads the record of a set. Sets of former versions of this program
// have none: the error is [fs.ErrNotExist] then.
func readRecord(root *os.Root, number int) (r Record, err error) {
	name := setPath(number, recordFile)
	defer func() {
		if err != nil {
			r, err = Record{}, fmt.Errorf("reading %q: %w", path.Join(root.Name(), name), err)
		}
	}()
	info, err := root.Lstat(name)
	if err != nil {
		return r, err
	}
	if !info.Mode().IsRegular() {
		return r, errors.New("not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return r, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return r, err
	}
	if len(data) > maxRecord {
		return r, fmt.Errorf("more than %d bytes", maxRecord)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	if r.Programs == nil {
		return r, errors.New("no programs")
	}
	for name := range r.Programs {
		if err := CheckName(name); err != nil {
			return r, err
		}
	}
	return r, nil
}

// writeRecord adds the record to a set whose members are complete. It does not sync
// it to disk.
func (b builder) writeRecord(steps []step, now time.Time) error {
	old, err := readRecord(b.root, b.number)
	if err != nil {
		old = Record{} // missing or damaged
	}
	entries, err := readDir(b.root, setPath(b.to, ""))
	if err != nil {
		return err
	}
	planned := map[string]step{}
	for _, st := range steps {
		planned[st.Name] = st
	}
	r := Record{now, map[string]Installation{}}
	for _, entry := range entries {
		if name := entry.Name(); entry.Type() == 0 && !isMetadata(name) {
			if r.Programs[name], err = b.installation(planned[name], name, old, now); err != nil {
				return err
			}
		}
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := b.root.OpenFile(setPath(b.to, recordFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	return errors.Join(err, f.Close())
}

// installation describes a member of the set.
func (b builder) installation(st step, name string, old Record, now time.Time) (Installation, error) {
	i := Installation{Sum: st.Sum, Since: now}
	if st.content != nil {
		i.Source = st.content.Source()
	}
	f, err := b.root.Open(setPath(b.to, name))
	if err != nil {
		return i, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return i, err
	}
	if st.method != write {
		before := name
		if target := b.members[name]; target != "" {
			before = target // the symlink became a hard link
		}
		known, ok := old.Programs[before]
		if ok && (st.Sum == checksum.Sum{} || st.Sum == known.Sum) {
			return known, nil
		}
		i.Since = info.ModTime().UTC().Truncate(time.Second)
	}
	if i.Sum == (checksum.Sum{}) {
		digester := checksum.NewDigester()
		if _, err := io.Copy(digester, f); err != nil {
			return i, err
		}
		i.Sum = digester.Sum()
	}
	_, i.Version = kubeversion.Read(f)
	return i, nil
}

func isMetadata(name string) bool { return name == recordFile || name == previousFile }

// linkPrevious makes a set the one that a rollback from another set leads to.
func linkPrevious(root *os.Root, from, to int) error {
	name := setPath(from, previousFile)
	if err := removeIfExists(root, name); err != nil || to == 0 {
		return err
	}
	return root.Symlink("../"+fmt.Sprint(to), name)
}

// readPrevious returns the number of the set before another one, or 0.
func readPrevious(root *os.Root, number int) int {
	target, err := root.Readlink(setPath(number, previousFile))
	if err != nil {
		return 0
	}
	previous, ok := parseSetTarget(target, "../")
	if !ok || previous == number {
		return 0
	}
	if info, err := root.Lstat(setPath(previous, "")); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return 0
	}
	return previous
}
