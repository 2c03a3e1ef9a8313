package accounts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

func TestRegistration(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Registration)
		blames string
	}{
		"a plain one is accepted":                                   {func(*Registration) {}, ""},
		"letters of any script are accepted":                        {func(r *Registration) { r.Name, r.Email = "Çelik Ögüt 李", "ögüt@example.org" }, ""},
		"a name that is joined is accepted":                         {func(r *Registration) { r.Name = "می\u200cخواهم" }, ""},
		"a name of joiners alone is refused":                        {func(r *Registration) { r.Name = "\u200d\u200c" }, "name"},
		"a short password is refused":                               {func(r *Registration) { r.Password = "1234567" }, "password"},
		"eight characters are enough, however many bytes they have": {func(r *Registration) { r.Password = "пароль12" }, ""},
		"a password has at most 128 characters":                     {func(r *Registration) { r.Password = strings.Repeat("ä", 129) }, "password"},
		"128 characters are a password":                             {func(r *Registration) { r.Password = strings.Repeat("ä", 128) }, ""},
		"somebody without a name is refused":                        {func(r *Registration) { r.Name = "" }, "name"},
		"a name is not made of space":                               {func(r *Registration) { r.Name = "  " }, "name"},
		"a name cannot end a line":                                  {func(r *Registration) { r.Name = "Ada\r\nBcc: eve@example.org" }, "name"},
		"a name has at most 200 characters":                         {func(r *Registration) { r.Name = strings.Repeat("a", 201) }, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Registration{Email: "ada@example.org", Password: "analytical-engine", Name: "Ada Lovelace"}
			c.change(&r)
			err := r.Validate()
			if c.blames == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Len(t, fault.From(err).Fields, 1)
			require.Equal(t, c.blames, fault.From(err).Fields[0].Name)
		})
	}
}

func TestValidEmail(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"ada@example.org", "A.D.A+books@example.org", "ögüt@example.org", "a@b"} {
		require.True(t, ValidEmail(good), "%q", good)
	}
	for _, bad := range []string{
		"", "ada", "ada@", "@example.org", "a b@example.org", "a@b@c", " ada@example.org", "ada@example.org ",
		"Ada <ada@example.org>", "<ada@example.org>", "ada@example.org (Ada)", "ada@example.org, eve@example.org",
		"ada@example.org\r\nBcc: eve@example.org", "ada@exa\x00mple.org", "ada\u202e@example.org", "ada\u200d@example.org", "ada@exa\u200cmple.org", "ada\u0085@example.org",
		"ada\ufffd@example.org", strings.Repeat("a", 243) + "@example.org",
	} {
		require.False(t, ValidEmail(bad), "%q", bad)
	}
}
