package differ

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// longWord is one character longer than a search may be.
var longWord = strings.Repeat("w", 201)

// encode writes a query, in which the placeholders stay what they are.
func encode(query url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := query.Get(name)
		text, after := "", 0
		for _, found := range placeholder.FindAllStringIndex(value, -1) {
			text += url.QueryEscape(value[after:found[0]]) + value[found[0]:found[1]]
			after = found[1]
		}
		pairs = append(pairs, name+"="+text+url.QueryEscape(value[after:]))
	}
	return strings.Join(pairs, "&")
}
