package versions

import _ "embed"

//go:embed builddates.json
var buildDates []byte

// BuildDates returns the bytes of builddates.json, which package builddate of
// the tools parses. They serve hk outside of a checkout.
func BuildDates() []byte { return buildDates }
