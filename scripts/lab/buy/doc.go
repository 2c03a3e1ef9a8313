// Package buy is a customer: it signs in, finds a book, buys it, and looks whether all that
// should follow did follow. Every request is printed as a curl command that can be pasted, with a line
// on what came back.
package buy
