package web

import (
	"cmp"
	"strings"

	"github.com/labstack/echo/v4"
)

// plainQuery refuses a query of which two readers could make two requests: a part that cannot be parsed, which net/url
// drops without a word, as a proxy does before it passes the query on; and a parameter that is given twice, of which
// one reader takes the first and another the last. A filter that was dropped would answer with everything.
func plainQuery(c echo.Context) error {
	query := c.Request().URL.RawQuery
	if query == "" {
		return nil
	}
	params := c.QueryParams() // Echo keeps them for the handler
	twice := ""
	read := 0
	for name, values := range params {
		read += len(values)
		if len(values) > 1 && (twice == "" || name < twice) {
			twice = name
		}
	}
	sent := 0
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			sent++
		}
	}
	switch {
	case read < sent:
		return malformed("query", "cannot be parsed; write ; as %3B and % as %25")
	case read > len(params):
		return malformed(cmp.Or(twice, "query"), "must be given only once") // a name may be empty
	}
	return nil
}
