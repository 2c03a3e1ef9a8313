// Package ledger finds where the extra cost of the services goes, for one book page and one checkout: CPU time of all that
// follows, and the latency of a customer who is alone.
//
// Nothing is guessed and nothing is added up from profiles. One thing at a time is switched (variants.go): the
// gateway is asked or passed by, a service that only hears events is stopped, the broker is stopped, a call is cut out of a
// program's source (cut.go) and the program built from the copy, by go build -overlay. What is too small to be seen when it is
// left out, such as JSON, is done ten times more. What a switch changes is what that thing costs. All variants take turns in each round of one run, in a lab of its own; the figures are medians
// over the rounds. What the switches do not account for stands in the ledger as unexplained.
package ledger
