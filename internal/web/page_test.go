package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/web"
)

func TestPages(t *testing.T) {
	t.Parallel()
	last := func(n int) any { return n }

	full := web.Page("things", []int{1, 2, 3}, 2, last)
	require.Equal(t, []int{1, 2}, full.Items)
	var at int
	ok, err := web.Cursor(query("cursor="+*full.NextCursor), "things", &at)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 2, at)

	require.Nil(t, web.Page("things", []int{1, 2}, 2, last).NextCursor)
	require.NotNil(t, web.Page[int]("things", nil, 2, last).Items, "an empty list is [], not null")
}

func TestCursors(t *testing.T) {
	t.Parallel()
	type position struct {
		Key string    `json:"k"`
		At  time.Time `json:"t"`
		ID  uuid.UUID `json:"i"`
	}
	here := position{"É <&> \u2028", time.Date(2024, 2, 29, 1, 2, 3, 456000, time.UTC), uuid.Must(uuid.NewV7())}
	cursor := web.EncodeCursor("things", here)
	read := func(list, cursor string) (position, error) {
		at := position{"start", time.Time{}, uuid.Max}
		_, err := web.Cursor(query("cursor="+cursor), list, &at)
		return at, err
	}

	t.Run("come back as they were made", func(t *testing.T) {
		t.Parallel()
		at, err := read("things", cursor)
		require.NoError(t, err)
		require.Equal(t, here, at)
	})
	t.Run("may be absent", func(t *testing.T) {
		t.Parallel()
		at := 7
		found, err := web.Cursor(query(""), "things", &at)
		require.NoError(t, err)
		require.False(t, found)
		require.Equal(t, 7, at)
	})

	inside, err := base64.RawURLEncoding.DecodeString(cursor)
	require.NoError(t, err)
	at, err := json.Marshal(here)
	require.NoError(t, err)
	written := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, foreign := range map[string]string{
		"of another list":                 web.EncodeCursor("shelves", here),
		"of no list":                      web.EncodeCursor("", here),
		"of the earlier format":           written(string(at)),
		"that are no base64":              "!!!",
		"in another base64":               base64.URLEncoding.EncodeToString([]byte(string(inside) + " ")),
		"that are no JSON":                written("not json"),
		"that are null":                   written("null"),
		"that are empty":                  written("{}"),
		"that are a list":                 written("[]"),
		"that are a text":                 written(`"things"`),
		"that are a number":               written("7"),
		"without a position":              written(`{"l":"things"}`),
		"with a position of null":         web.EncodeCursor("things", nil),
		"with an empty position":          written(`{"l":"things","p":{}}`),
		"with a position of another kind": web.EncodeCursor("things", 7),
		"with a part of a position":       written(`{"l":"things","p":{"k":"a"}}`),
		"with a null in the position":     written(`{"l":"things","p":{"k":null,"t":"2024-02-29T01:02:03Z","i":"` + here.ID.String() + `"}}`),
		"with something more in it":       written(string(inside[:len(inside)-1]) + `,"x":1}`),
		"with something after the end":    written(string(inside) + " {}"),
		"with a space":                    written(string(inside) + " "),
		"with a part twice":               written(`{"l":"shelves",` + string(inside[1:])),
		"in another case":                 written(`{"L` + string(inside[3:])),
		"with a line break between":       cursor[:8] + "%0A" + cursor[8:],
	} {
		t.Run(name+" are refused", func(t *testing.T) {
			t.Parallel()
			_, err := read("things", foreign)
			f := fault.From(err)
			require.NotNil(t, f, foreign)
			require.Equal(t, fault.Malformed, f.Kind)
			require.Equal(t, "cursor", f.Fields[0].Name)
		})
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(web.EncodeCursor("things", "a"))
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, cursor string) {
		var at string
		if found, err := web.Cursor(query("cursor="+url.QueryEscape(cursor)), "things", &at); err == nil && found {
			require.Equal(t, web.EncodeCursor("things", at), cursor)
		}
	})
}
