package main

import (
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"layer": main})
}

func TestScripts(t *testing.T) {
	script.Run(t, testscript.Params{Dir: "testdata"})
}
