package results

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// DocFile is the path of the document with the table, from the root of a checkout.
const DocFile = "docs/rebuild.md"

// The table is between these lines.
const (
	begin = "<!-- table: generated from versions/rebuilt.json by hk rebuild table -->"
	end   = "<!-- end of table -->"
)

// columns are the first columns of the table. Other binaries follow by name.
var columns = []string{
	"kubectl", "kubelet", "kubeadm", "kube-proxy", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
}

// marks are by status. A cell has one for each of versions.Platforms.
var marks = map[string]string{Matched: "✓", Differs: "✗", Unbuildable: "–", "": "·"}

// Table renders the results with a row for each version, newest first, and a
// column for each binary.
func (r Results) Table() string {
	all := r.All()
	names := slices.Clone(columns)
	var rows []versions.Version
	for _, result := range all {
		if !slices.Contains(names, result.Binary) {
			names = append(names, result.Binary)
		}
		if !slices.Contains(rows, result.Version) {
			rows = append(rows, result.Version)
		}
	}
	slices.Sort(names[len(columns):])
	var b strings.Builder
	fmt.Fprintf(&b, "| version | toolchain | %s |\n", strings.Join(names, " | "))
	fmt.Fprintf(&b, "|---|---|%s\n", strings.Repeat("---|", len(names)))
	for _, v := range slices.Backward(rows) {
		toolchain := ""
		cells := make([]string, len(names))
		for i, name := range names {
			for _, p := range versions.Platforms {
				platform, err := versions.ParsePlatform(p)
				if err != nil {
					panic(err) // the names are constants
				}
				result := r[Key{v, platform, name}]
				toolchain = max(toolchain, result.Toolchain)
				cells[i] += marks[result.Outcome]
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v, toolchain, strings.Join(cells, " | "))
	}
	return b.String()
}

// Insert replaces the table of a document.
func (r Results) Insert(doc []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(doc, []byte(begin+"\n"))
	_, after, ok2 := bytes.Cut(rest, []byte(end+"\n"))
	if !ok || !ok2 {
		return nil, fmt.Errorf("updating the table in %s: want the lines %q and %q", DocFile, begin, end)
	}
	return slices.Concat(before, []byte(begin+"\n\n"+r.Table()+"\n"+end+"\n"), after), nil
}
