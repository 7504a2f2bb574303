package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// judge compares the digests of tags with what is expected. The tags that are listed
// but have no digest could not be checked, or need no check.
func (r *run) judge(digests map[string]string, listed map[string]bool) {
	knownDigests := map[string]bool{} // of images of this flavor, now or earlier
	for tag, m := range r.history.tags {
		if r.Expected.class(tag) == known {
			knownDigests[m.first], knownDigests[m.last] = true, true
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(listed)) {
		r.report.Tags++
		digest, ok := digests[tag]
		class := r.Expected.class(tag)
		switch {
		case class == attachment:
			r.report.Attachments++
		case class == ignored:
			r.report.Ignored++
		case !ok:
		case class == extra:
			r.add(Finding{Kind: Extra, Tag: tag, Digest: digest, Reason: r.Expected.explainExtra(tag)})
		case class == oldContent && !knownDigests[digest]:
			r.add(Finding{Kind: Extra, Tag: tag, Digest: digest, Reason: "no image of this repository has this content tag"})
		default:
			r.judgeDigest(tag, digest, class)
		}
	}
	r.judgeMissing(digests, listed)
}

// judgeDigest compares the digest of a tag with its record and with earlier audits.
func (r *run) judgeDigest(tag, digest string, class class) {
	recorded := r.Expected.recorded[tag]
	if class == known && recorded == "" {
		r.report.Unrecorded++
	}
	var reasons []string
	want := recorded
	if recorded != "" && digest != recorded {
		reasons = append(reasons, "differs from the record")
	}
	var moves []Move
	if m := r.history.tags[tag]; m != nil && len(m.moves) > 0 {
		moves = m.moves
		if want == "" {
			want = m.first
		}
		for _, move := range moves {
			reasons = append(reasons, fmt.Sprintf("moved from %s to %s, seen %s", short(move.From), short(move.To), move.Seen.Format(time.RFC3339)))
		}
	}
	if len(reasons) > 0 {
		r.add(Finding{Changed, tag, digest, want, moves, strings.Join(reasons, "; ")})
	}
}

// judgeMissing finds tags that should exist. A tag that is listed but could not be
// checked is not missing.
func (r *run) judgeMissing(digests map[string]string, listed map[string]bool) {
	exists := func(tag string) bool { return digests[tag] != "" || listed[tag] && !r.deleted[tag] }
	missing := map[string]string{}
	for tag, image := range r.Expected.images {
		if image.required && !exists(tag) {
			missing[tag] = "an image of the manifest"
		}
	}
	for content, tags := range r.Expected.contents {
		if i := slices.IndexFunc(tags, exists); i >= 0 && !exists(content) {
			missing[content] = "the content tag of " + tags[i]
		}
	}
	for tag, m := range r.history.tags {
		if c := r.Expected.class(tag); !exists(tag) && (c == known || c == content) {
			missing[tag] = "an earlier audit found it with " + short(m.last)
		}
	}
	for tag, reason := range missing {
		r.add(Finding{Kind: Missing, Tag: tag, Want: r.Expected.recorded[tag], Reason: reason})
	}
}
