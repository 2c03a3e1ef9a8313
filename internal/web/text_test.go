package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

const (
	composed   = "\u00e9"
	decomposed = "e\u0301"
)

type letter struct {
	Name     string                 `json:"name"`
	Tags     []string               `json:"tags"`
	Note     *string                `json:"note"`
	Nothing  *string                `json:"nothing"`
	Patch    web.Optional[string]   `json:"patch"`
	Patches  web.Optional[[]string] `json:"patches"`
	Address  struct{ City string }  `json:"address"`
	Password string                 `json:"password" text:"verbatim"`
	Inner    struct {
		Token string `json:"token" text:"verbatim"`
	} `json:"inner"`
	checked string
}

// Validate sees what will be kept: a length that it counts is that of NFC.
func (l *letter) Validate() error {
	l.checked = l.Name
	return nil
}

func TestTextIsReadInNFC(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]string{"a letter and its accent": decomposed, "the same, escaped": `e\u0301`, "one character": composed} {
		t.Run("out of "+name, func(t *testing.T) {
			t.Parallel()
			var l letter
			require.NoError(t, web.Bind(with("application/json", `{"name":"`+e+`","tags":["a","`+e+`"],"note":"`+e+`","nothing":null,
				"patch":"`+e+`","patches":["`+e+`"],"address":{"City":"`+e+`"}}`), &l))
			require.Equal(t, letter{
				Name: composed, Tags: []string{"a", composed}, Note: new(composed),
				Patch:   web.Optional[string]{Set: true, Value: composed},
				Patches: web.Optional[[]string]{Set: true, Value: []string{composed}},
				Address: struct{ City string }{composed}, checked: composed,
			}, l)
			require.Equal(t, composed, web.QueryText(query("q=e%CC%81"), "q"))
		})
	}
	t.Run("but for what has to stay as it was sent", func(t *testing.T) {
		t.Parallel()
		c := with("application/json", `{"password":"`+decomposed+`","inner":{"token":"`+decomposed+`"}}`)
		var l letter
		require.NoError(t, web.Bind(c, &l))
		require.Equal(t, decomposed, l.Password)
		require.Equal(t, decomposed, l.Inner.Token)
		body, err := web.Body(c)
		require.NoError(t, err)
		require.Contains(t, string(body), decomposed, "a fingerprint is taken of what was sent")
	})
}
