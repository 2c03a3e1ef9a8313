package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/web"
)

type wish struct {
	Name  string               `json:"name"`
	Count int                  `json:"count"`
	Tags  []string             `json:"tags"`
	Stamp int                  `json:"stamps"`
	Inner struct{ N int }      `json:"inner"`
	Note  web.Optional[string] `json:"note"`
}

func (w wish) Validate() error {
	var c fault.Checks
	c.That(w.Count < 100, "count", "must be below 100")
	return c.Err()
}

// with makes a context whose request has this body.
func with(contentType, body string) echo.Context {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return echo.New().NewContext(r, httptest.NewRecorder())
}

func TestBind(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		kind  fault.Kind
		field string
	}{
		"no JSON":              {`{"name":`, fault.Malformed, "body"},
		"nothing":              {``, fault.Malformed, "body"},
		"a wrong type":         {`{"count":"2"}`, fault.Malformed, "count"},
		"a fraction":           {`{"count":1.5}`, fault.Malformed, "count"},
		"too large an integer": {`{"count":99999999999999999999}`, fault.Malformed, "count"},
		"a wrong type inside":  {`{"inner":{"N":"x"}}`, fault.Malformed, "inner.N"},
		"an unknown field":     {`{"nmae":"x"}`, fault.Malformed, "nmae"},
		"a wrong optional":     {`{"note":5}`, fault.Malformed, "note"},
		"something after it":   {`{} {}`, fault.Malformed, "body"},
		"a list":               {`[]`, fault.Malformed, "body"},
		"not acceptable":       {`{"count":100}`, fault.Invalid, "count"},

		"a field twice":                 {`{"count":1,"name":"a","count":2}`, fault.Malformed, "count"},
		"a field twice, once escaped":   {`{"count":1,"coun\u0074":2}`, fault.Malformed, "count"},
		"a field twice inside":          {`{"inner":{"N":1,"N":1}}`, fault.Malformed, "N"},
		"a field in another case":       {`{"Count":1}`, fault.Malformed, "Count"},
		"a field that folds to ours":    {`{"\u017ftamps":1}`, fault.Malformed, "\u017ftamps"},
		"a field after a tricky string": {`{"name":"\"}{,\\","tags":["count","count"],"name":""}`, fault.Malformed, "name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w wish
			f := fault.From(web.Bind(with("application/json", tt.body), &w))
			require.NotNil(t, f)
			require.Equal(t, tt.kind, f.Kind)
			require.Equal(t, tt.field, f.Fields[0].Name)
		})
	}
	t.Run("what is right is read, and the body can be read again", func(t *testing.T) {
		t.Parallel()
		var w wish
		c := with("application/json; charset=utf-8", `{"name":"a","count":2,"tags":["x"],"note":null}`)
		require.NoError(t, web.Bind(c, &w))
		require.Equal(t, wish{Name: "a", Count: 2, Tags: []string{"x"}, Note: web.Optional[string]{Set: true, Null: true}}, w)
		body, err := web.Body(c)
		require.NoError(t, err)
		require.Len(t, body, 47)
	})
	t.Run("the same name may stand in several objects", func(t *testing.T) {
		t.Parallel()
		var many []struct {
			N    int
			Note web.Optional[struct{ N int }]
		}
		require.NoError(t, web.Bind(with("application/json", `[{"N":1,"Note":{"N":1}},{"N":2}]`), &many))
		require.Len(t, many, 2)
	})
	t.Run("a type that takes any name still takes each once", func(t *testing.T) {
		t.Parallel()
		var bag map[string]int
		require.NoError(t, web.Bind(with("application/json", `{"a":1,"A":2}`), &bag))
		require.Equal(t, fault.Malformed, fault.KindOf(web.Bind(with("application/json", `{"a":1,"a":2}`), &bag)))
	})
	t.Run("a compressed body is not inflated", func(t *testing.T) {
		t.Parallel()
		c := with("application/json", `{}`)
		c.Request().Header.Set("Content-Encoding", "gzip")
		require.Equal(t, fault.UnsupportedMedia, fault.KindOf(web.Bind(c, &wish{})))
	})
	t.Run("another content type is none we read", func(t *testing.T) {
		t.Parallel()
		for _, ct := range []string{"", "text/plain", "application/xml", "application/jsonx"} {
			require.Equal(t, fault.UnsupportedMedia, fault.KindOf(web.Bind(with(ct, `{}`), &wish{})), ct)
		}
	})
}

func FuzzBind(f *testing.F) {
	f.Add(`{"name":"a","note":"b"}`)
	f.Add(`{"inner":{"N":1}} x`)
	f.Add(`{"name":"a","name":"b"}`)
	f.Add(`{"tags":["\\\""],"inner":{"N":1,"\u004e":2}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var w wish
		err := web.Bind(with("application/json", body), &w)
		require.NotEqual(t, fault.Internal, kindOr(err, fault.Malformed), "%q: %v", body, err)
		if err == nil {
			require.False(t, twice(t, body), "%q has a field twice", body)
		}
	})
}

// twice finds a field that stands twice in one object the slow way.
func twice(t *testing.T, body string) bool {
	d := json.NewDecoder(strings.NewReader(body))
	var value func() bool
	value = func() bool {
		token, err := d.Token()
		require.NoError(t, err)
		seen, found := map[json.Token]bool{}, false
		for delim, ok := token.(json.Delim); ok && d.More(); {
			if delim == '{' {
				name, err := d.Token()
				require.NoError(t, err)
				found = found || seen[name]
				seen[name] = true
			}
			found = value() || found
		}
		if _, ok := token.(json.Delim); ok {
			_, err := d.Token() // the end of it
			require.NoError(t, err)
		}
		return found
	}
	return value()
}

func kindOr(err error, none fault.Kind) fault.Kind {
	if err == nil {
		return none
	}
	return fault.KindOf(err)
}

func query(q string) echo.Context {
	return echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/?"+q, nil), httptest.NewRecorder())
}

func TestQuery(t *testing.T) {
	t.Parallel()
	id, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())

	t.Run("ids come once each, in the order asked", func(t *testing.T) {
		t.Parallel()
		got, err := web.QueryIDs(query("ids="+other.String()+","+id.String()+","+other.String()), "ids", 3)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{other, id}, got)
		_, err = web.QueryIDs(query("ids="+id.String()+","+other.String()), "ids", 1)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	})
	t.Run("only the usual form of a UUID is one", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{"x", "{" + id.String() + "}", "urn:uuid:" + id.String(), strings.ReplaceAll(id.String(), "-", "")} {
			_, err := web.QueryID(query("id="+url.QueryEscape(bad)), "id")
			require.Equal(t, fault.Malformed, fault.KindOf(err), bad)
		}
		got, err := web.QueryID(query(""), "id")
		require.NoError(t, err)
		require.Equal(t, uuid.Nil, got)
	})
	t.Run("a limit is 1 to 100, 20 if absent", func(t *testing.T) {
		t.Parallel()
		for q, want := range map[string]int{"": 20, "limit=1": 1, "limit=100": 100} {
			n, err := web.Limit(query(q))
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		for q, kind := range map[string]fault.Kind{"limit=0": fault.Invalid, "limit=101": fault.Invalid, "limit=x": fault.Malformed} {
			_, err := web.Limit(query(q))
			require.Equal(t, kind, fault.KindOf(err), q)
		}
	})
}
