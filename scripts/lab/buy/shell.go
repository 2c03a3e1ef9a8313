package buy

import "strings"

// quote makes a text one word of a POSIX shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// curl is the command that sends the same request. The token is the shell variable TOKEN, which
// [signInCommand] sets.
func (r request) curl(base string, withToken bool) string {
	words := []string{"curl", "-s"}
	if r.method != "GET" && (r.method != "POST" || r.body == nil) {
		words = append(words, "-X", r.method)
	}
	words = append(words, quote(base+r.path))
	if withToken {
		words = append(words, "-H", `"Authorization: Bearer $TOKEN"`)
	}
	if r.key != "" {
		words = append(words, "-H", quote("Idempotency-Key: "+r.key))
	}
	if r.body != nil {
		words = append(words, "-H", quote("Content-Type: application/json"), "-d", quote(string(r.body)))
	}
	return strings.Join(words, " ")
}

// signInCommand sends the request and keeps the token of the answer in the shell.
func (r request) signInCommand(base string) string {
	return "TOKEN=$(" + r.curl(base, false) + ` | sed 's/.*"token": *"\([^"]*\)".*/\1/')`
}
