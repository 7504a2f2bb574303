package identify

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Judge answers for a file whose facts are known. Name is its base name.
func (i *Index) Judge(input string, f Facts) Answer {
	a := i.answer(input, f.SHA256)
	a.File = &f
	if a.Verdict.OK() {
		return a
	}
	a.Nearest = i.nearest(f)
	if i.IsKubernetes(f) || a.Nearest != nil {
		a.Verdict = Differs
	}
	a.Notes = i.notes(a)
	return a
}

// IsKubernetes reports whether the build information of a program says that it is
// one of Kubernetes.
func (i *Index) IsKubernetes(f Facts) bool {
	return f.Program != nil && (strings.HasPrefix(f.Program.Package, "k8s.io/kubernetes/") ||
		strings.HasPrefix(f.Program.Package, "k8s.io/") && i.programs[f.Program.name()])
}

// name returns the name of a program by its main package.
func (p Program) name() string {
	if p.Package == "" {
		return ""
	}
	return path.Base(p.Package)
}

// nearest returns upstream's pin that an unpinned file resembles: that of its
// program, version and platform, or else that of its platform and size, or else the
// newest one of its program, minor version and platform.
func (i *Index) nearest(f Facts) *Pin {
	p := f.Program
	if p == nil {
		return nil
	}
	platform, err := versions.ParsePlatform(p.Platform)
	if err != nil {
		return nil
	}
	base, _, _ := strings.Cut(p.Version, "-")
	base, _, _ = strings.Cut(base, "+")
	version, _ := versions.ParseVersion(base)
	var sized, minor *versions.Pin
	for _, pin := range i.upstream {
		if pin.Platform != platform {
			continue
		}
		if pin.Version == version && pin.File == p.name() {
			found := i.describe(pin)
			return &found
		}
		sizeMatches := pin.Size != 0 && (pin.Size == f.Size || pin.Size == f.FullSize)
		if sizeMatches && (p.name() == "" || p.name() == pin.File) && (version == (versions.Version{}) || version == pin.Version) {
			sized = &pin
		}
		if pin.File == p.name() && pin.Version.MinorLabel() == version.MinorLabel() {
			minor = &pin
		}
	}
	if sized = cmp.Or(sized, minor); sized == nil {
		return nil
	}
	found := i.describe(*sized)
	return &found
}

// notes returns sentences about a file that has no pin.
func (i *Index) notes(a Answer) []string {
	f := *a.File
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if f.Truncated() {
		note("truncated: %d of the %d bytes that its ELF header announces", f.Size, f.FullSize)
	}
	p := f.Program
	switch {
	case p == nil:
		if text := formatNotes[f.Format]; text != "" {
			note("%s", text)
		}
	case a.Nearest != nil:
		notes = append(notes, compare(f, *a.Nearest)...)
	case i.IsKubernetes(f):
		if _, err := versions.ParsePlatform(p.Platform); err != nil && p.Platform != "" {
			note("%s %s for %s: the lock has %s only", p.name(), p.Version, p.Platform, strings.Join(versions.Platforms, " and "))
		} else {
			note("the lock has no %s %s", p.name(), p.Version)
		}
	case f.Truncated() && p.Version == "":
		note("too short to tell what it was")
	case p.Package != "":
		note("a Go program, not one of Kubernetes")
	default:
		note("an executable, not one of Kubernetes")
	}
	return notes
}

// formatNotes explains formats that a binary does not have.
var formatNotes = map[Format]string{
	Empty:   "an empty file: the download or the copy failed",
	HTML:    "a web page, not a binary: the server answered with an error or a login page",
	XML:     "an XML document, not a binary: perhaps the error of a storage server",
	JSON:    "a JSON document, not a binary: perhaps the error of an API",
	Text:    "a text, not a binary",
	Script:  "a script, not a binary: it may call one; explain that",
	Tar:     "a tar archive: hk verify reads the archives of images; unpack others",
	Zip:     "a zip archive: unpack it, and explain its files",
	Debian:  "a package, not a binary: unpack it, and explain its files",
	RPM:     "a package, not a binary: unpack it, and explain its files",
	"bzip2": "compressed: unpack it, and explain the content",
}

// compare says in what a file is like the nearest pin, and in what it is not.
func compare(f Facts, near Pin) []string {
	p := f.Program
	if p.Version != "" && p.Version != near.Version.String() {
		return []string{fmt.Sprintf("the lock has no %s %s: a newer version, a pre-release, or the build of a fork", near.Binary, p.Version)}
	}
	if f.Truncated() && (near.Size == 0 || near.Size == f.FullSize) {
		return []string{"resembles " + near.Key + " by " + evidence(f, near) + "; only the complete file has a sha256 in the lock"}
	}
	same := []string{"platform"}
	if p.Version != "" {
		same = append(same, "version")
	}
	sameDate := p.BuildDate != "" && p.BuildDate == near.BuildDate
	if sameDate {
		same = append(same, "build date")
	}
	if f.Size == near.Size {
		same = append(same, "size")
	}
	text := fmt.Sprintf("other bytes than %s, with the same %s", near.Key, strings.Join(same, ", "))
	switch {
	case f.Size == near.Size:
		text += ": changed after the build"
	case !sameDate && p.BuildDate != "" && near.BuildDate != "":
		text += "; its build date is " + near.BuildDate
	}
	return []string{text}
}

// evidence lists what a truncated file has in common with a pin.
func evidence(f Facts, near Pin) string {
	found := []string{"platform"}
	if f.Program.Version != "" {
		found = append(found, "version")
	}
	if f.Program.name() != "" {
		found = append(found, "program")
	}
	if near.Size != 0 {
		found = append(found, "complete size")
	}
	return strings.Join(found, ", ")
}
