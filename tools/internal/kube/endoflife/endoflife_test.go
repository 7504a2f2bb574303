package endoflife

import (
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// The embedded file has a date for every minor version of the lock.
func TestEmbedded(t *testing.T) {
	data, err := versions.Embedded(File)
	if err != nil {
		t.Fatal(err)
	}
	dates, err := Parse(File, data)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range catalog.Lock.Pins() {
		if pin.Version != (versions.Version{}) && dates.Of(pin.Version).Date == "" {
			t.Fatalf("%s: no date for %s. Fix: add it to %s", pin.FileKey, dates.Of(pin.Version).Minor, File)
		}
	}
}

func TestSupported(t *testing.T) {
	m := Minor{"v1.36", "2027-06-28"}
	for day, want := range map[string]bool{"2027-06-27": true, "2027-06-28": true, "2027-06-29": false} {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Supported(d); got != want {
			t.Errorf("%s: got %v, want %v", day, got, want)
		}
	}
	if (Minor{"v1.99", ""}).Supported(time.Now()) {
		t.Error("supported without a date")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		`{"minor":"v1.36.0","date":"2027-06-28"}`: "want a minor version like v1.36",
		`{"minor":"v1.36","date":"28.6.2027"}`:    "cannot parse",
	} {
		_, err := Parse("f.json", []byte(`{"schema":1,"minors":[`+text+`]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
