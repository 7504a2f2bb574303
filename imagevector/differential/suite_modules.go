//go:build suite

// What Gardener's own suite imports, so that go.mod names its modules. Nothing
// is ever built with this tag.
package differential

import (
	_ "github.com/onsi/ginkgo/v2"
	_ "github.com/onsi/gomega"
	_ "github.com/onsi/gomega/gstruct"
	_ "github.com/onsi/gomega/types"
	_ "k8s.io/utils/clock/testing"
	_ "sigs.k8s.io/yaml"
)
