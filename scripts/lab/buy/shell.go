package buy

import (
	"strings"

	"banyan/scripts/lab/shop"
)

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
func curl(r shop.Request, base string, withToken bool) string {
	body, _ := r.Body.([]byte) // nil: none
	words := []string{"curl", "-s"}
	if r.Method != "GET" && (r.Method != "POST" || body == nil) {
		words = append(words, "-X", r.Method)
	}
	words = append(words, quote(base+r.Path))
	if withToken {
		words = append(words, "-H", `"Authorization: Bearer $TOKEN"`)
	}
	if r.Key != "" {
		words = append(words, "-H", quote("Idempotency-Key: "+r.Key))
	}
	if body != nil {
		words = append(words, "-H", quote("Content-Type: application/json"), "-d", quote(string(body)))
	}
	return strings.Join(words, " ")
}

// signInCommand sends the request and keeps the token of the answer in the shell.
func signInCommand(r shop.Request, base string) string {
	return "TOKEN=$(" + curl(r, base, false) + ` | sed 's/.*"token": *"\([^"]*\)".*/\1/')`
}
