//go:build e2e && linux

package clustertest

import (
	"os"
	"testing"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

func TestMain(m *testing.M) {
	node.Init()
	os.Exit(m.Run())
}
