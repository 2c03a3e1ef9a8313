package differ

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	column = 64 // width of each of the two texts that stand side by side
	around = 3  // equal lines that are shown around those that differ
)

// row is a line of each of two texts. One of them may be missing there, and is empty then.
type row struct {
	left, right string
	differs     bool
}

// beside writes two texts next to each other, and marks the lines that differ in more than ids and times. Of what is
// equal, only the lines around them are written. The first line of each says whose it is.
func beside(out *strings.Builder, a, b string) {
	nameA, a, _ := strings.Cut(a, "\n")
	nameB, b, _ := strings.Cut(b, "\n")
	write := func(left, mark, right string) {
		out.WriteString(strings.TrimRight("    "+narrow(left)+" "+mark+" "+narrow(right), " ") + "\n")
	}
	write(nameA, " ", nameB)
	rows := align(strings.Split(strings.TrimSpace(a), "\n"), strings.Split(strings.TrimSpace(b), "\n"))
	lastShown := -1
	for i, r := range rows {
		shown := i == 0 // the status
		for near := max(i-around, 0); near <= min(i+around, len(rows)-1); near++ {
			shown = shown || rows[near].differs
		}
		if !shown {
			continue
		}
		if i > lastShown+1 {
			fmt.Fprintf(out, "    … %d equal lines\n", i-lastShown-1)
		}
		lastShown = i
		mark := " "
		if r.differs {
			mark = "|"
		}
		write(r.left, mark, r.right)
	}
	if left := len(rows) - 1 - lastShown; left > 0 {
		fmt.Fprintf(out, "    … %d equal lines\n", left)
	}
}

// align puts the lines that are equal next to each other, as many as can be without changing their order.
func align(left, right []string) []row {
	same := func(i, j int) bool { return plain(left[i]) == plain(right[j]) }
	// common[i][j] is how many lines left[i:] and right[j:] can have in common.
	common := make([][]int, len(left)+1)
	for i := range common {
		common[i] = make([]int, len(right)+1)
	}
	for i := len(left) - 1; i >= 0; i-- {
		for j := len(right) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); same(i, j) {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var rows []row
	i, j := 0, 0
	for i < len(left) && j < len(right) {
		switch {
		case same(i, j):
			rows = append(rows, row{left: left[i], right: right[j]})
			i, j = i+1, j+1
		case common[i+1][j+1] == common[i][j]: // neither has a partner
			rows = append(rows, row{left[i], right[j], true})
			i, j = i+1, j+1
		case common[i+1][j] == common[i][j]:
			rows = append(rows, row{left[i], "", true})
			i++
		default:
			rows = append(rows, row{"", right[j], true})
			j++
		}
	}
	for ; i < len(left); i++ {
		rows = append(rows, row{left[i], "", true})
	}
	for ; j < len(right); j++ {
		rows = append(rows, row{"", right[j], true})
	}
	return rows
}

// plain is a line without what is each side's own, nor the comma that says whether another follows.
func plain(line string) string {
	if strings.Contains(line, `"next_cursor": "`) {
		return "next_cursor"
	}
	return strings.TrimSuffix(own.ReplaceAllString(line, "·"), ",")
}

func narrow(line string) string {
	runes := []rune(line)
	if len(runes) > column {
		line = string(runes[:column-1]) + "…"
	}
	return line + strings.Repeat(" ", column-min(column, utf8.RuneCountInString(line)))
}
