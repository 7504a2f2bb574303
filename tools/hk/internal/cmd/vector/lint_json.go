package vector

import (
	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/lint"
)

// The types of the JSON output of lint.
type (
	jsonReport struct {
		Generation string        `json:"generation"`
		Problems   []jsonProblem `json:"problems"`
		Warnings   []jsonProblem `json:"warnings"`
		Entries    []jsonEntry   `json:"entries"`
		Public     []jsonPublic  `json:"public"`
		Effective  int           `json:"effective"`
	}
	jsonProblem struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Field   string `json:"field"`
		Message string `json:"message"`
	}
	jsonEntry struct {
		Index   int                  `json:"index"`
		Line    int                  `json:"line"`
		Name    string               `json:"name"`
		Verdict lint.Verdict         `json:"verdict"`
		Effects []jsonEffect         `json:"effects,omitempty"`
		Losses  []jsonLoss           `json:"losses,omitempty"`
		Reasons []string             `json:"reasons,omitempty"`
		Fix     []imagevector.Source `json:"fix,omitempty"`
	}
	jsonEffect struct {
		Lookup       string `json:"lookup"`
		Architecture string `json:"architecture"`
		Versions     string `json:"versions,omitempty"`
	}
	jsonLoss struct {
		Versions      string   `json:"versions"`
		Architectures []string `json:"architectures"`
		To            string   `json:"to"`
	}
	jsonPublic struct {
		Registry string       `json:"registry"`
		Name     string       `json:"name"`
		Image    string       `json:"image"`
		Entry    string       `json:"entry"`
		Where    []jsonEffect `json:"where"`
	}
)

func reportJSON(r *lint.Report) jsonReport {
	out := jsonReport{Generation: "current", Problems: []jsonProblem{}, Warnings: []jsonProblem{}, Entries: []jsonEntry{}, Public: []jsonPublic{}, Effective: r.Effective()}
	if r.Generation == imagevector.Oldest {
		out.Generation = "oldest"
	}
	for _, p := range r.OverwriteProblems {
		out.Problems = append(out.Problems, jsonProblem{p.File, p.Line, p.Column, p.Field, p.Message})
	}
	for _, p := range r.VectorProblems {
		out.Warnings = append(out.Warnings, jsonProblem{p.File, p.Line, p.Column, p.Field, p.Message})
	}
	for _, e := range r.Entries {
		var losses []jsonLoss
		for _, l := range e.Losses {
			losses = append(losses, jsonLoss{l.Versions.String(), l.Architectures, l.To.Position.String()})
		}
		out.Entries = append(out.Entries, jsonEntry{e.Index, e.Source.Position.Line, e.Source.Name, e.Verdict, effectsJSON(e.Effects), losses, e.Reasons, e.Fix})
	}
	for _, p := range r.Public {
		out.Public = append(out.Public, jsonPublic{p.Registry, p.Name, p.Image, p.Source.Position.String(), effectsJSON(p.Where)})
	}
	return out
}

func effectsJSON(list []lint.Effect) []jsonEffect {
	var out []jsonEffect
	for _, e := range list {
		j := jsonEffect{Lookup: e.Mode.String(), Architecture: e.Architecture}
		if !e.Versions.Empty() {
			j.Versions = e.Versions.String()
		}
		out = append(out, j)
	}
	return out
}
