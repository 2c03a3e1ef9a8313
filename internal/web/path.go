package web

import "strings"

// plainPath reports whether every reader of this path, as it came over the wire,
// agrees on its segments. Where a gateway sees one route and a service another, a
// client walks past the rules of the first; and the same path has to mean the same
// with a gateway in front and without. So no empty or dot segments, no encoded
// slash, dot, backslash or NUL, no backslash, no control characters.
func plainPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	segment := 1 // where the current one begins
	for i := 1; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			s := path[segment:i]
			if s == "." || s == ".." || s == "" && i < len(path) {
				return false
			}
			segment = i + 1
			continue
		}
		switch c := path[i]; {
		case c < ' ', c == 0x7f, c == '\\':
			return false
		case c == '%' && !plainEscape(path[i+1:]):
			return false
		}
	}
	return true
}

func plainEscape(s string) bool {
	if len(s) < 2 {
		return false
	}
	switch strings.ToLower(s[:2]) {
	case "00", "25", "2e", "2f", "5c", "7f":
		return false
	}
	return s[0] >= '2' // below are the control characters
}
