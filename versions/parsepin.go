package versions

import (
	"fmt"
	"strings"
)

// pin reads a file of the lock.
func (p *lockParser) pin(at string, raw map[string]string, size int64) {
	before := len(p.errs)
	fail := func(field string, err error) { p.fail(at, field, err) }
	pin := Pin{URL: raw["url"], Size: size}
	var err error
	pin.Source, err = parseName(raw["source"])
	fail("source", err)
	if raw["version"] != "" {
		pin.Version, err = ParseVersion(raw["version"])
		fail("version", err)
	}
	pin.Platform, err = ParsePlatform(raw["platform"])
	fail("platform", err)
	pin.File, err = parseName(raw["file"])
	fail("file", err)
	pin.SHA256, err = ParseDigest(raw["sha256"])
	fail("sha256", err)
	if pin.URL != "" && !strings.HasPrefix(pin.URL, "https://") {
		fail("url", fmt.Errorf("%q does not begin with https://", pin.URL))
	}
	if size < 0 {
		fail("size", fmt.Errorf("%d is negative", size))
	}
	if raw["archive"] != "" || raw["member"] != "" {
		pin.Archive, err = ParseDigest(raw["archive"])
		fail("archive", err)
		pin.Member, err = parseMember(raw["member"])
		fail("member", err)
	}
	if len(p.errs) > before {
		return
	}
	if _, dup := p.lock.pins[pin.FileKey]; dup {
		fail("file", fmt.Errorf("%s is pinned already", pin.FileKey))
		return
	}
	p.lock.Set(pin)
}

// base reads a base image of the lock.
func (p *lockParser) base(at string, raw map[string]string, _ int64) {
	before := len(p.errs)
	var pin BasePin
	var err error
	pin.Image, err = ParseImageRef(raw["image"])
	p.fail(at, "image", err)
	pin.Platform, err = ParsePlatform(raw["platform"])
	p.fail(at, "platform", err)
	pin.SHA256, err = ParseDigest(raw["sha256"])
	p.fail(at, "sha256", err)
	if len(p.errs) > before {
		return
	}
	if _, dup := p.lock.bases[pin.BaseKey]; dup {
		p.fail(at, "image", fmt.Errorf("%s is pinned already", pin.BaseKey))
		return
	}
	p.lock.SetBase(pin)
}
