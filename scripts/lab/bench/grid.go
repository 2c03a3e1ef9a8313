package bench

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// grid is a table: its first row is the head. So many columns on the left are words, the others are figures.
type grid struct {
	rows  [][]string
	words int
}

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// write lays it out for a terminal.
func (g *grid) write(text *strings.Builder) {
	widths := make([]int, len(g.rows[0]))
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range g.rows {
		var line strings.Builder
		for i, cell := range row {
			if i < g.words {
				fmt.Fprintf(&line, "%-*s   ", widths[i], cell)
			} else {
				fmt.Fprintf(&line, "%*s   ", widths[i], cell)
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// markdown writes it as a table of Markdown.
func (g *grid) markdown(text *strings.Builder) {
	for i, row := range g.rows {
		text.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i > 0 {
			continue
		}
		for column := range row {
			if column < g.words {
				text.WriteString("|---")
			} else {
				text.WriteString("|---:")
			}
		}
		text.WriteString("|\n")
	}
	text.WriteString("\n")
}
