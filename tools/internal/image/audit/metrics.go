package audit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
)

// WriteMetrics replaces a file by the metrics of a report, in the text format of
// Prometheus.
func (r Report) WriteMetrics(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing metrics %q: want a regular file", file)
	}
	err := atomic.Write(file, filepath.Dir(file), 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, r.metrics())
		return err
	})
	if err != nil {
		return fmt.Errorf("writing metrics %q: %w", file, err)
	}
	return nil
}

// metrics returns the metrics. Their names and labels do not depend on the findings, so
// that the series never end.
func (r Report) metrics() string {
	var b strings.Builder
	labels := fmt.Sprintf("repository=%q,flavor=%q", r.Repository, r.Flavor)
	gauge := func(name, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, help) }
	sample := func(name, help string, value any) {
		gauge(name, help)
		fmt.Fprintf(&b, "%s{%s} %v\n", name, labels, value)
	}
	const findings = "hyperkube_audit_findings"
	gauge(findings, "Tags of the repository that violate the audit, by kind.")
	count := map[Kind]int{}
	for _, f := range r.Findings {
		count[f.Kind]++
	}
	for _, kind := range kinds {
		fmt.Fprintf(&b, "%s{%s,kind=%q} %d\n", findings, labels, kind, count[kind])
	}
	sample("hyperkube_audit_tags", "Tags in the repository.", r.Tags)
	sample("hyperkube_audit_expected_images", "Images of the manifest that must be in the repository.", r.Images)
	sample("hyperkube_audit_unrecorded_images", "Images in the repository without a digest on record.", r.Unrecorded)
	sample("hyperkube_audit_unsigned_images", "Images in the repository without a signature.", r.Unsigned)
	sample("hyperkube_audit_images_without_sbom", "Images in the repository without an SBOM.", r.WithoutSBOM)
	sample("hyperkube_audit_duration_seconds", "Duration of the last complete audit.", r.Seconds)
	sample("hyperkube_audit_last_completion_timestamp_seconds", "Time of the last complete audit.", r.Time.Unix())
	return b.String()
}
