package wire

import (
	"slices"
	"strings"
)

// step is what a statement does to a transaction.
type step int

const (
	reads step = iota
	writes
	begins
	commits
	aborts
)

// statement is a text with one or more statements.
type statement struct {
	text  string
	steps []step
}

// parseStatement looks at the words of a text, outside of quotes and comments. What a function does that is called in
// a select can't be seen; such a select reads.
func parseStatement(text string) *statement {
	st := &statement{text: text}
	var words []string
	add := func() {
		if len(words) > 0 {
			st.steps = append(st.steps, stepOf(words))
		}
		words = words[:0]
	}
	scan(text, func(word string) {
		if word == ";" {
			add()
		} else {
			words = append(words, word)
		}
	})
	add()
	return st
}

func stepOf(words []string) step {
	has := func(word string) bool { return slices.Contains(words, word) }
	switch words[0] {
	case "begin", "start":
		return begins
	case "commit", "end":
		if has("prepared") {
			return writes
		}
		return commits
	case "rollback", "abort":
		switch {
		case has("prepared"):
			return writes
		case has("to"):
			return reads // to a savepoint; the transaction goes on
		}
		return aborts
	case "prepare":
		if has("transaction") {
			return aborts // it is committed by another, if it is
		}
		return reads
	case "copy":
		if has("from") && !has("to") || has("insert") || has("update") || has("delete") {
			return writes
		}
		return reads
	case "select", "with", "values", "table", "explain", "declare":
		for i, word := range words {
			switch word {
			case "insert", "delete", "merge":
				return writes
			case "update": // but not: for update, for no key update
				if words[i-1] != "for" && words[i-1] != "key" {
					return writes
				}
			}
		}
		return reads
	case "show", "set", "reset", "listen", "unlisten", "notify", "fetch", "move", "close", "savepoint", "release", "discard",
		"deallocate", "lock", "checkpoint":
		return reads
	}
	return writes
}

// scan calls word for each word in lower case, and for each semicolon.
func scan(text string, word func(string)) {
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case c == ';':
			word(";")
			i++
		case strings.HasPrefix(rest, "--"):
			i += until(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			i += comment(rest)
		case c == '\'':
			escapes := i > 0 && text[i-1]|0x20 == 'e' && (i < 2 || !inWord(text[i-2]))
			i += quoted(rest, escapes)
		case c == '"':
			i += quoted(rest, false)
		case c == '$':
			i += dollars(rest)
		case inWord(c):
			n := 1
			for n < len(rest) && (inWord(rest[n]) || rest[n] == '$') {
				n++
			}
			word(strings.ToLower(rest[:n]))
			i += n
		default:
			i++
		}
	}
}

func inWord(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}

// until is how far it is to the end of mark.
func until(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

// comment is the length of a comment, which may hold others.
func comment(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// quoted is the length of what stands between quotes of the kind it begins with. A doubled quote ends one text and begins
// the next, which comes to the same.
func quoted(text string, escapes bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// dollars is the length of a text between dollar signs, or 1 for a parameter's.
func dollars(text string) int {
	n := 1
	for n < len(text) && inWord(text[n]) {
		n++
	}
	if n == len(text) || text[n] != '$' || n > 1 && '0' <= text[1] && text[1] <= '9' {
		return 1
	}
	tag := text[:n+1]
	return len(tag) + until(text[len(tag):], tag)
}
