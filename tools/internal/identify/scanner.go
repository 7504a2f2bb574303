package identify

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"regexp"
	"runtime/debug"

	"github.com/hyperkube/hyperkube/versions"
)

const (
	headSize   = 64 << 10 // bytes of the head that is kept
	overlap    = 128      // bytes kept between two writes; longer than any stamp
	maxModInfo = 1 << 20  // bytes of a Go program's module information
	maxStamps  = 16       // different stamps of a kind that are kept
)

// The module information of a Go program is between two markers; see
// src/cmd/go/internal/modload/build.go of Go.
var (
	modInfoStart = []byte("\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6")
	modInfoEnd   = []byte("\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2")
)

// Strings that the linker sets (-X) end with a zero byte, unlike other strings of a
// Go program.
var (
	versionStamp = regexp.MustCompile(`^v1\.[0-9]{1,3}\.[0-9]{1,3}[-+.0-9A-Za-z]*\x00`)
	goStamp      = regexp.MustCompile(`^go1\.[0-9]{1,3}[.0-9a-z]*\x00`)
	dateStamp    = regexp.MustCompile(`^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z\x00`)
)

// Scanner computes the facts of a file from its bytes, in one pass and with little
// memory, so that it also serves files of image layers. It implements [io.Writer].
type Scanner struct {
	hash   hash.Hash
	size   int64
	head   []byte
	window []byte // the end of the previous bytes and the current ones

	modInfo  []byte // since modInfoStart, while inInfo; or the complete information
	inInfo   bool
	skip     int // bytes of modInfoStart at the beginning of the window
	versions stamps
	dates    stamps
	gos      stamps
}

// NewScanner returns a scanner of one file.
func NewScanner() *Scanner {
	s := &Scanner{hash: sha256.New()}
	s.Reset()
	return s
}

// Reset makes the scanner ready for another file.
func (s *Scanner) Reset() {
	s.hash.Reset()
	*s = Scanner{hash: s.hash, head: s.head[:0], window: s.window[:0]}
}

// Write never returns an error.
func (s *Scanner) Write(p []byte) (int, error) {
	s.hash.Write(p)
	s.size += int64(len(p))
	if n := min(headSize-len(s.head), len(p)); n > 0 {
		s.head = append(s.head, p[:n]...)
	}
	s.window = append(s.window, p...)
	if cut := len(s.window) - overlap; cut > 0 {
		s.search(cut)
		s.window = s.window[:copy(s.window, s.window[cut:])]
	}
	return len(p), nil
}

// search searches for what begins in the first n bytes of the window.
func (s *Scanner) search(n int) {
	s.versions.search(s.window, n, "v1.", 0, versionStamp)
	s.gos.search(s.window, n, "go1.", 0, goStamp)
	s.dates.search(s.window, n, "Z\x00", len("2006-01-02T15:04:05"), dateStamp)
	s.searchModInfo(n)
}

// searchModInfo keeps the first complete module information.
func (s *Scanner) searchModInfo(n int) {
	at := s.skip
	if !s.inInfo {
		if s.modInfo != nil {
			return
		}
		at = bytes.Index(s.window, modInfoStart)
		if at < 0 || at >= n {
			return
		}
		s.inInfo, at = true, at+len(modInfoStart)
	}
	if end := bytes.Index(s.window[min(at, len(s.window)):], modInfoEnd); end >= 0 {
		s.modInfo, s.inInfo = append(s.modInfo, s.window[at:at+end]...), false
		return
	}
	s.modInfo = append(s.modInfo, s.window[min(at, n):n]...)
	s.skip = max(0, at-n)
	if len(s.modInfo) > maxModInfo {
		s.modInfo, s.inInfo = nil, false
	}
}

// Facts returns the facts of the bytes that were written.
func (s *Scanner) Facts() Facts {
	s.search(len(s.window))
	s.window = s.window[:0]
	f := Facts{Size: s.size, SHA256: versions.NewDigest([sha256.Size]byte(s.hash.Sum(nil))), Format: detect(s.head)}
	p := Program{Version: s.versions.best(), BuildDate: s.dates.best(), Go: s.gos.best()}
	if f.Format == ELF {
		p.Platform, f.FullSize = readELF(s.head)
	}
	if s.modInfo != nil && !s.inInfo {
		p.setBuildInfo(string(s.modInfo))
	}
	if f.Format == ELF || p.Package != "" {
		f.Program = &p
	}
	return f
}

// setBuildInfo sets the fields that the Go build information has.
func (p *Program) setBuildInfo(text string) {
	info, err := debug.ParseBuildInfo(text)
	if err != nil {
		return
	}
	p.Package, p.Module, p.ModuleVersion = info.Path, info.Main.Path, info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != "" && settings["GOARCH"] != "" {
		p.Platform = settings["GOOS"] + "/" + settings["GOARCH"]
	}
}

// stamps counts strings.
type stamps struct {
	order []string
	count map[string]int
}

// search searches for a needle that is offset bytes after the beginning of a string
// that matches the pattern, and that begins in the first n bytes.
func (s *stamps) search(window []byte, n int, needle string, offset int, pattern *regexp.Regexp) {
	for at := 0; ; at++ {
		i := bytes.Index(window[at:], []byte(needle))
		if i < 0 {
			return
		}
		at += i
		start := at - offset
		if start >= n {
			return
		}
		if start < 0 {
			continue
		}
		if m := pattern.Find(window[start:min(len(window), start+overlap)]); m != nil {
			s.add(string(m[:len(m)-1]))
		}
	}
}

func (s *stamps) add(text string) {
	if s.count == nil {
		s.count = map[string]int{}
	}
	if s.count[text] == 0 {
		if len(s.order) == maxStamps {
			return
		}
		s.order = append(s.order, text)
	}
	s.count[text]++
}

// best returns the most frequent string, and the first of several.
func (s *stamps) best() string {
	best := ""
	for _, text := range s.order {
		if s.count[text] > s.count[best] {
			best = text
		}
	}
	return best
}
