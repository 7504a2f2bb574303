//go:build suite

// The imports of Gardener's test suite, so that go.mod has its modules. The tag is
// never set.
package differential

import (
	_ "github.com/onsi/ginkgo/v2"
	_ "github.com/onsi/gomega"
	_ "github.com/onsi/gomega/gstruct"
	_ "github.com/onsi/gomega/types"
	_ "k8s.io/utils/clock/testing"
	_ "sigs.k8s.io/yaml"
)
