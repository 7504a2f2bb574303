package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// member is a file of an archive, with the archive's sha256.
type member struct {
	key     versions.FileKey
	archive versions.Digest
}

func parseMember(s string) (member, error) {
	name, sum, ok := strings.Cut(s, "=")
	if !ok {
		return member{}, fmt.Errorf("want KEY=SHA256, got %q", s)
	}
	var m member
	var err error
	if m.key, err = versions.ParseFileKey(name); err != nil {
		return m, err
	}
	m.archive, err = versions.ParseDigest(sum)
	return m, err
}

// member pins a file of an archive; the archive must have the sha256 given.
func (u *updater) member(ctx context.Context, m member) error {
	source, ok := u.manifest.Source(m.key.Source)
	if !ok {
		return fmt.Errorf("pinning %s: unknown source %q in %s", m.key, m.key.Source, versions.ManifestFile)
	}
	pin, err := u.fetcher.PinMember(ctx, m.key, source, m.archive)
	if err != nil {
		return err
	}
	return u.pin(pin)
}
