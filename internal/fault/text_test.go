package fault_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

func TestText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text        string
		line, prose bool
	}{
		"a line":                                 {"Moby-Dick; or, Whale", true, true},
		"nothing":                                {"", false, false},
		"nothing but space":                      {" \u3000", false, false},
		"space around it":                        {" Emma ", false, true},
		"two lines and a tab":                    {"A match.\r\n\n\tOr two.", false, true},
		"twenty characters of two bytes":         {strings.Repeat("é", 20), true, true},
		"21 characters":                          {strings.Repeat("x", 21), false, false},
		"21 characters, most of which are space": {"x" + strings.Repeat(" ", 20), false, false},
		"a space that does not break":            {"Qui\u00a0?", true, true},

		"a Persian word with a joiner between": {"می\u200cخواهم", true, true},
		"a Sinhala word that is joined":        {"ශ්\u200dරී", true, true},
		"an emoji family":                      {"👩\u200d👩\u200d👧\ufe0f", true, true},
		"the end of a verse":                   {"الله\u06dd", true, true},
		"a joiner alone":                       {"\u200d", false, false},
		"joiners, selectors and space":         {"\u200c \ufe0f\u200d", false, false},

		"a zero byte":                  {"a\x00", false, false},
		"a bell":                       {"a\a", false, false},
		"a vertical tab":               {"a\vb", false, false},
		"a form feed":                  {"a\fb", false, false},
		"an escape":                    {"\x1b[2J", false, false},
		"a line end of mainframes":     {"a\u0085b", false, false},
		"a line separator":             {"a\u2028b", false, false},
		"an override of the direction": {"a\u202eb", false, false},
		"an isolate of the direction":  {"a\u2066b\u2069", false, false},
		"a mark of the direction":      {"a\u200fb", false, false},
		"a soft hyphen":                {"a\u00adb", false, false},
		"a space of no width":          {"a\u200bb", false, false},
		"a mark of the byte order":     {"a\ufeff", false, false},
		"letters in invisible tags":    {"a\U000e0061", false, false},
		"what could not be decoded":    {"a\ufffd", false, false},
		"half a character":             {"a\xc3", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var line, prose fault.Checks
			line.Text("text", c.text, 1, 20)
			prose.Prose("text", c.text, 1, 20)
			require.Equal(t, c.line, line.Err() == nil, "as a line")
			require.Equal(t, c.prose, prose.Err() == nil, "as prose")
		})
	}
}
