package span

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

func TestConstraint(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1.20.x", "1.20.x"},
		{"1.20", "1.20.x"},
		{"= 1.20", "1.20.x"},
		{"= 1.20.4", "1.20.4"},
		{">= 1.20-0", ">= 1.20.0"},
		{"< 1.22", "< 1.22.0"},
		{"> 1.33", ">= 1.34.0"},
		{"<= 1.33", "< 1.34.0"},
		{">= 1.31 < 1.34", "1.31.0..1.33.x"},
		{"1.31 || 1.33", "1.31.x, 1.33.x"},
		{"1.31 || 1.32", "1.31.0..1.32.x"},
		{"1.32 - 1.33", "1.32.0..1.33.x"},
		{"~1.33", "1.33.x"},
		{"^1.30", "1.30.0..1.x"},
		{"*", "all"},
		{"!= 1.30.1", "<= 1.30.0, >= 1.30.2"},
		{"= 1.20.0-rc.1", "none"},
		{"> 1.5 < 1.3", "none"},
		{"<0", "none"},
		{"!= *", ">= 0.0.1"},
	} {
		set, err := Constraint(tt.text)
		if err != nil || set.String() != tt.want {
			t.Errorf("Constraint(%q) = %v, %v; want %s", tt.text, set, err, tt.want)
		}
	}
	for _, text := range []string{"", "latest", "1.2.3.4", ">=", "1.2 ||", "1.2,,1.3", "1.2>1", "> = 1", strings.Repeat("1 ", 300), strings.Repeat("1||", 40) + "1"} {
		_, err := Constraint(text)
		_, want := semver.NewConstraint(text)
		if err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("Constraint(%q): error %v, semver's is %v", text, err, want)
		}
	}
}

// agree compares a constraint with semver at every change point, and right before and
// after.
func agree(t *testing.T, text string) {
	t.Helper()
	set, err := Constraint(text)
	c, want := semver.NewConstraint(text)
	if fmt.Sprint(err) != fmt.Sprint(want) {
		t.Fatalf("Constraint(%q): error %v, semver's is %v", text, err, want)
	}
	if err != nil {
		return
	}
	for i := 1; i < len(set); i++ {
		if after, ok := set[i-1].Last.next(); !ok || !after.Less(set[i].First) {
			t.Fatalf("Constraint(%q) = %v: spans touch", text, set)
		}
	}
	for _, p := range changePoints(text) {
		before := p.Before()
		after, _ := p.next()
		for _, v := range []Version{p, before, after, {p.Major, p.Minor, p.Patch + 2}, {p.Major, p.Minor + 2, 7}, {p.Major + 2, 3, 1}} {
			if got, want := set.Contains(v), c.Check(semver.New(v.Major, v.Minor, v.Patch, "", "")); got != want {
				t.Fatalf("Constraint(%q) = %v: has %v is %v, semver says %v", text, set, v, got, want)
			}
		}
	}
}

// constraintText returns random constraints, most of them valid.
func constraintText(r *rand.Rand) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	part := func() string {
		return pick("0", "1", "2", "3", "20", "x", "*", "X", "01", "1x", "18446744073709551615")
	}
	var b strings.Builder
	for range 1 + r.IntN(3) {
		if b.Len() > 0 {
			b.WriteString(pick(" || ", "||", " ", ", ", ",", " - ", "  "))
		}
		b.WriteString(pick("", "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "=="))
		b.WriteString(pick("", " ", "v"))
		b.WriteString(part())
		for range r.IntN(4) {
			b.WriteString("." + part())
		}
		b.WriteString(pick("", "", "", "", "-0", "-rc.1", "+meta"))
	}
	return b.String()
}

func TestConstraintAgreesWithSemver(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	valid, plain := 0, 0
	for range 30_000 {
		text := constraintText(r)
		agree(t, text)
		if _, err := semver.NewConstraint(text); err == nil {
			valid++
		}
		if _, ok := plainConstraint(text); ok {
			plain++
		}
	}
	if valid < 10_000 || plain < 2_500 {
		t.Errorf("%d valid constraints, %d plain ones: too few", valid, plain)
	}
}

func FuzzConstraint(f *testing.F) {
	for _, s := range []string{"1.20.x", ">= 1.21", "= 1.20.0-rc.1", "^0.0.3", "~0.0.0", "!=*", "1.2 - 2.3.4", "> 1 < 3 || 5.x", "^*", "<= *", "1.x.3", "v1", "18446744073709551615", ">18446744073709551615.18446744073709551615", "1\t,\n2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

func TestParse(t *testing.T) {
	for _, s := range []string{
		"1.20.5", "v1.20.5", "1.20", "1", "1.20.0-rc.1", "1.2.3+x", "1.2~3", "1v.2v", "vv1", "01.02.03", "", "v", "1.", ".1", "1..2", "1.2.3.4",
		"a", "1.2.a", "18446744073709551615", "18446744073709551616", "1844674407370955162", "-1", " 1", strings.Repeat("1", 300), strings.Repeat("v", 300) + "1",
	} {
		v, err := Parse(s)
		want, wantErr := semver.NewVersion(Normalize(s))
		switch {
		case fmt.Sprint(err) != fmt.Sprint(wantErr):
			t.Errorf("Parse(%q): error %v, semver's is %v", s, err, wantErr)
		case err == nil && v != Version{want.Major(), want.Minor(), want.Patch()}:
			t.Errorf("Parse(%q) = %v, semver says %v", s, v, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1.20.5")
	f.Add("v1.2-3")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		want, wantErr := semver.NewVersion(Normalize(s))
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && v != (Version{want.Major(), want.Minor(), want.Patch()}) {
			t.Errorf("Parse(%q) = %v, %v; semver says %v, %v", s, v, err, want, wantErr)
		}
	})
}

// Set operations agree with membership.
func TestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	version := func() Version { return Version{r.Uint64N(2), r.Uint64N(3), r.Uint64N(3)} }
	for range 5_000 {
		set := func() Set {
			var spans []Span
			for range r.IntN(5) {
				s := Span{version(), version()}
				if r.IntN(8) == 0 {
					s.Last = highest
				}
				spans = append(spans, s)
			}
			return Of(spans...)
		}
		a, b := set(), set()
		for range 20 {
			v := version()
			inA, inB := a.Contains(v), b.Contains(v)
			if a.Union(b).Contains(v) != (inA || inB) || a.Intersect(b).Contains(v) != (inA && inB) ||
				a.Complement().Contains(v) == inA || a.Intersect(b.Complement()).Contains(v) != (inA && !inB) {
				t.Fatalf("a = %v, b = %v: wrong at %v", a, b, v)
			}
		}
		if !a.Complement().Complement().Equal(a) || !a.Union(b).Equal(b.Union(a)) || len(a.Intersect(a.Complement())) > 0 || !a.Union(a.Complement()).Equal(All()) {
			t.Fatalf("a = %v, b = %v: a law is broken", a, b)
		}
	}
}

func BenchmarkConstraint(b *testing.B) {
	for _, text := range []string{">= 1.31 < 1.34", ">= 1.20-0"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Constraint(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
