package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hk.prom")
	r := Report{
		Repository: "registry.example/kubectl", Flavor: "kubectl", Tags: 5, Images: 4, Unrecorded: 3, Unsigned: 2, WithoutSBOM: 1,
		Seconds: 1.5, Time: time.Unix(1_800_000_000, 0), Findings: []Finding{{Kind: Extra}, {Kind: Changed}, {Kind: Extra}},
	}
	if err := r.WriteMetrics(file); err != nil {
		t.Fatal(err)
	}
	const want = `# HELP hyperkube_audit_findings Tags of the repository that violate the audit, by kind.
# TYPE hyperkube_audit_findings gauge
hyperkube_audit_findings{repository="registry.example/kubectl",flavor="kubectl",kind="missing"} 0
hyperkube_audit_findings{repository="registry.example/kubectl",flavor="kubectl",kind="changed"} 1
hyperkube_audit_findings{repository="registry.example/kubectl",flavor="kubectl",kind="extra"} 2
hyperkube_audit_findings{repository="registry.example/kubectl",flavor="kubectl",kind="unsigned"} 0
hyperkube_audit_findings{repository="registry.example/kubectl",flavor="kubectl",kind="without-sbom"} 0
# HELP hyperkube_audit_tags Tags in the repository.
# TYPE hyperkube_audit_tags gauge
hyperkube_audit_tags{repository="registry.example/kubectl",flavor="kubectl"} 5
# HELP hyperkube_audit_expected_images Images of the manifest that must be in the repository.
# TYPE hyperkube_audit_expected_images gauge
hyperkube_audit_expected_images{repository="registry.example/kubectl",flavor="kubectl"} 4
# HELP hyperkube_audit_unrecorded_images Images in the repository without a digest on record.
# TYPE hyperkube_audit_unrecorded_images gauge
hyperkube_audit_unrecorded_images{repository="registry.example/kubectl",flavor="kubectl"} 3
# HELP hyperkube_audit_unsigned_images Images in the repository without a signature.
# TYPE hyperkube_audit_unsigned_images gauge
hyperkube_audit_unsigned_images{repository="registry.example/kubectl",flavor="kubectl"} 2
# HELP hyperkube_audit_images_without_sbom Images in the repository without an SBOM.
# TYPE hyperkube_audit_images_without_sbom gauge
hyperkube_audit_images_without_sbom{repository="registry.example/kubectl",flavor="kubectl"} 1
# HELP hyperkube_audit_duration_seconds Duration of the last complete audit.
# TYPE hyperkube_audit_duration_seconds gauge
hyperkube_audit_duration_seconds{repository="registry.example/kubectl",flavor="kubectl"} 1.5
# HELP hyperkube_audit_last_completion_timestamp_seconds Time of the last complete audit.
# TYPE hyperkube_audit_last_completion_timestamp_seconds gauge
hyperkube_audit_last_completion_timestamp_seconds{repository="registry.example/kubectl",flavor="kubectl"} 1800000000
`
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("got %v\n%s", err, got)
	}
	if err := r.WriteMetrics("/dev/null"); err == nil {
		t.Error("replaced /dev/null")
	}
}
