// Package nearest guesses what a misspelt word was meant to be.
package nearest

// To returns the name that a word was most likely meant to be, or "" if
// none is near.
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

// edits counts the letters to change, add or leave out to get from a to b, the
// case of a letter counting for nothing.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if lower(a[i]) == lower(b[j]) {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
