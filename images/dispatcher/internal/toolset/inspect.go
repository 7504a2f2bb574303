package toolset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/kubeversion"
)

// Set is the current set of a directory or the previous one.
type Set struct {
	Current bool
	// Time is that of the run that made the set; zero without a record.
	Time time.Time
	// RecordErr says why the set has no record: [fs.ErrNotExist] for one that a
	// former version of this program made.
	RecordErr error
	Members   []Member // by name
}

// Member is a name of a set.
type Member struct {
	Name   string
	Target string // of a symlink, "" for a program
	// Recorded reports whether Installation is from the record of the set. If not,
	// it has the version that the file claims and the time of the file.
	Recorded bool
	Installation
	// Program is the name of the program, like "kubelet", that the file claims.
	Program string
	// Got is the sum of the file, if requested.
	Got checksum.Sum
	// Err says that the file is missing, or that the directory has another file of
	// that name.
	Err error
}

// Verify returns an error if a member is not what was installed.
func (m Member) Verify() error {
	switch {
	case m.Err != nil || m.Target != "":
		return m.Err
	case !m.Recorded:
		return errors.New("no record of the installed SHA-256; install again")
	case m.Got != m.Sum:
		return fmt.Errorf("want sha256 %s, got %s", m.Sum, m.Got)
	}
	return nil
}

// Inspect returns the current set, and the previous one if there is one. It
// returns nothing if nothing was installed. With sums it reads all files.
func Inspect(ctx context.Context, o Options, sums bool) ([]Set, error) {
	root, err := openDir(o.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Without a current set there is nothing to lock.
	if s, err := readState(root); err != nil || s.number == 0 {
		return nil, err
	}
	lock, err := acquireLock(ctx, root, o)
	switch {
	case err == nil:
		defer lock.Close()
	case !isDenied(err): // a user who cannot write can read
		return nil, err
	}
	s, err := readState(root)
	if err != nil {
		return nil, err
	}
	all := []Set{}
	for _, number := range []int{s.number, s.previous} {
		if number == 0 {
			continue
		}
		set, err := s.inspect(ctx, number, sums)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", path.Join(o.Dir, setPath(number, "")), err)
		}
		all = append(all, set)
	}
	return all, nil
}

func (s *state) inspect(ctx context.Context, number int, sums bool) (Set, error) {
	record, recordErr := readRecord(s.root, number)
	set := Set{Current: number == s.number, Time: record.Time, RecordErr: recordErr}
	members, err := readSet(s.root, number)
	if err != nil {
		return set, err
	}
	for name := range record.Programs {
		if _, ok := members[name]; !ok {
			members[name] = "" // missing
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		m := Member{Name: name, Target: members[name]}
		m.Installation, m.Recorded = record.Programs[name]
		if err := s.inspectMember(ctx, number, &m, sums); err != nil {
			return set, err
		}
		if kind, err := s.kindOf(name); set.Current && m.Err == nil && (err != nil || kind != managed && kind != absent) {
			m.Err = errors.Join(err, fmt.Errorf("the directory has another file of that name; remove it and install again"))
		}
		set.Members = append(set.Members, m)
	}
	return set, nil
}

// inspectMember reads the file of a member.
func (s *state) inspectMember(ctx context.Context, number int, m *Member, sums bool) error {
	name := setPath(number, m.Name)
	info, err := s.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		m.Err = errors.New("missing file")
		return nil
	}
	if err != nil || m.Target != "" {
		return err
	}
	if !info.Mode().IsRegular() {
		m.Err = errors.New("not a regular file")
		return nil
	}
	if sums {
		if m.Got, err = s.sum(ctx, name); err != nil {
			return err
		}
	}
	if m.Recorded && !sums {
		return nil
	}
	f, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	m.Program, m.Version = kubeversion.Read(f)
	if !m.Recorded {
		m.Since = info.ModTime().UTC().Truncate(time.Second)
	}
	return nil
}
