// Package apt reads the signed indexes of Debian's archives and solves sets of
// packages with apt-get. It uses a private configuration and an empty dpkg status, so
// that the result depends only on the indexes.
package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/redact"
	"github.com/hyperkube/hyperkube/versions"
)

// Config names the indexes to read.
type Config struct {
	Mirror  mirror.Mirror
	Suite   string   // codename; SUITE-updates and SUITE-security are read, too
	Options []string // lines of apt.conf for network access
	Keyring string   // that signs the indexes, unless the mirror has a key of its own
}

// Index has the indexes of a suite for all platforms, in a temporary directory.
type Index struct {
	dir    string
	config Config
}

// keyrings are the names of Debian's keyring in the package debian-archive-keyring.
var keyrings = []string{"/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"}

// Keyring returns Debian's keyring.
func Keyring() (string, error) {
	for _, file := range keyrings {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("finding Debian's signing keys: %q does not exist. Fix: apt-get install debian-archive-keyring", keyrings[0])
}

// Update downloads the indexes and verifies their signatures.
func Update(ctx context.Context, c Config) (*Index, error) {
	for _, tool := range []string{"apt-get", "gpgv"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s not found: reading the indexes of Debian needs apt and gpgv", tool)
		}
	}
	if c.Mirror.Security.URI == "" {
		return nil, mirror.NoSecurityError(c.Suite)
	}
	dir, err := os.MkdirTemp("", "hyperkube-apt-")
	if err != nil {
		return nil, fmt.Errorf("creating a directory for indexes: %w", err)
	}
	x := &Index{dir, c}
	if err := x.configure(); err != nil {
		return nil, errors.Join(fmt.Errorf("configuring apt: %w", err), x.Close())
	}
	if _, err := x.run(ctx, "", "apt-get", "update"); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the indexes of Debian %s: %w", c.Suite, err), x.Close())
	}
	return x, nil
}

// Close removes the directory.
func (x *Index) Close() error { return os.RemoveAll(x.dir) }

// configure writes apt's configuration into the directory.
func (x *Index) configure() error {
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "etc/trusted.gpg.d"} {
		if err := os.MkdirAll(filepath.Join(x.dir, dir), 0o755); err != nil {
			return err
		}
	}
	// apt downloads as the user _apt, which needs access.
	if err := os.Chmod(x.dir, 0o755); err != nil {
		return err
	}
	// A copy, because _apt may have no access to the file.
	keys, err := os.ReadFile(x.config.Keyring)
	if err != nil {
		return err
	}
	keyring := filepath.Join(x.dir, "keyring"+filepath.Ext(x.config.Keyring))
	sources := x.config.Mirror.Archive.Stanza(keyring, x.config.Suite, x.config.Suite+"-updates") +
		x.config.Mirror.Security.Stanza(keyring, x.config.Suite+"-security")
	options := append([]string{
		`Dir::State "` + x.dir + `";`,
		`Dir::State::status "` + x.dir + `/status";`,
		`Dir::Cache "` + x.dir + `/cache";`,
		`Dir::Etc "` + x.dir + `/etc";`,
		`Dir::Etc::main "none.conf";`,
		// The machine's own configuration could choose other packages.
		`APT::Install-Recommends "false";`,
		`APT::Install-Suggests "false";`,
		`Acquire::Languages "none";`,
		`Acquire::ForceHash "SHA256";`,
		// Mirrors of a site are often past their Valid-Until date; see Index.Outdated.
		`Acquire::Check-Valid-Until "false";`,
		`Acquire::AllowInsecureRepositories "false";`,
		`Acquire::AllowWeakRepositories "false";`,
		`Acquire::AllowDowngradeToInsecureRepositories "false";`,
		`APT::Get::AllowUnauthenticated "false";`,
		`APT::Update::Error-Mode "any";`,
	}, x.config.Options...)
	for _, platform := range versions.Platforms {
		options = append(options, `APT::Architectures:: "`+strings.TrimPrefix(platform, "linux/")+`";`)
	}
	for name, text := range map[string]string{
		"status":                            "",
		"etc/sources.list":                  "",
		"etc/sources.list.d/debian.sources": sources,
		"apt.conf":                          strings.Join(options, "\n") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(keyring, keys, 0o644)
}

// run runs a program of apt for an architecture, or for all if it is "", and returns
// its output. Errors have the lines that apt marks as errors.
func (x *Index) run(ctx context.Context, arch, program string, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := x.runTo(ctx, &stdout, arch, program, args...)
	return stdout.Bytes(), err
}

// runTo is like run, and writes the output to stdout.
func (x *Index) runTo(ctx context.Context, stdout io.Writer, arch, program string, args ...string) error {
	var options []string
	if arch != "" {
		options = []string{"-o", "APT::Architecture=" + arch, "-o", "APT::Architectures=" + arch}
	}
	cmd := exec.CommandContext(ctx, program, append(options, args...)...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "APT_CONFIG="+filepath.Join(x.dir, "apt.conf"))
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		output := stderr.String()
		if b, ok := stdout.(*bytes.Buffer); ok {
			output += b.String() // explains unsolvable dependencies
		}
		return fmt.Errorf("running %s %s: %w: %s", program, args[0], err, redact.URLs(errorsOf(output)))
	}
	return nil
}

// errorsOf returns the errors and warnings in apt's output, and the explanation of
// unsolvable dependencies; all of it without any.
func errorsOf(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "W: ") || strings.Contains(line, " : ") {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return strings.TrimSpace(output)
	}
	const most = 20
	return strings.Join(lines[:min(most, len(lines))], "\n")
}
