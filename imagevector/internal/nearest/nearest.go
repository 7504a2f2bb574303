// Package nearest suggests a known name for a misspelled one.
package nearest

import "strings"

// To returns the name with the smallest edit distance to a word, or "" if none is
// close enough.
func To(word string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if len(word) > 64 || len(name) > 64 {
			continue
		}
		if d := edits(word, name); d < distance && d*2 < max(len(word), 2) {
			best, distance = name, d
		}
	}
	return best
}

// edits returns the Levenshtein distance of a and b, ignoring case.
func edits(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
