package web

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
)

// List is one page of things. NextCursor is null on the last.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// Page makes a page of the named list, with at most limit items, out of up to limit+1 rows: the row
// too many says that there is a next page, which begins after the last item.
func Page[T any](list string, rows []T, limit int, position func(last T) any) List[T] {
	if rows == nil {
		rows = []T{}
	}
	if len(rows) <= limit {
		return List[T]{Items: rows}
	}
	rows = rows[:limit]
	next := EncodeCursor(list, position(rows[limit-1]))
	return List[T]{Items: rows, NextCursor: &next}
}

// Limit reads the size of a page: 1 to 100, 20 if absent.
func Limit(c echo.Context) (int, error) {
	v := c.QueryParam("limit")
	if v == "" {
		return 20, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, malformed("limit", "must be a whole number")
	}
	if n < 1 || n > 100 {
		return 0, fault.New(fault.Invalid, "", "Some of the input is not acceptable.").
			WithFields(fault.Field{Name: "limit", Detail: "must be 1 to 100"})
	}
	return n, nil
}

// cursor is what a cursor holds. Clients pass it back as it is; what it holds may change.
type cursor struct {
	List     string `json:"l"`
	Position any    `json:"p"`
}

// EncodeCursor makes an opaque cursor of a position in the named list.
func EncodeCursor(list string, position any) string {
	b, err := json.Marshal(cursor{list, position})
	if err != nil {
		panic(err) // positions are plain values
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Cursor reads the query's cursor into the position and reports whether there was one. A
// cursor that the named list did not make is Malformed. It has made one only if it would write the
// position in the same way again: nothing is missing, null, spelled otherwise or left over.
func Cursor(c echo.Context, list string, position any) (bool, error) {
	sent := c.QueryParam("cursor")
	if sent == "" {
		return false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(sent)
	if err == nil {
		err = json.Unmarshal(b, &cursor{Position: position})
	}
	if err != nil || EncodeCursor(list, position) != sent {
		return false, malformed("cursor", "is not one of this list")
	}
	return true, nil
}

// Replay answers with bytes that were made before, such as a stored answer.
func Replay(c echo.Context, status int, location, contentType string, body []byte) error {
	if location != "" {
		c.Response().Header().Set(echo.HeaderLocation, location)
	}
	return c.Blob(status, contentType, body)
}
