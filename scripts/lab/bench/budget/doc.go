// Package budget holds the figures the shop is held to: how much of the machine's best each part has to reach, how
// long it may take and how much it may hold.
//
// Each figure is a ratio of two things measured in one run, unless it is a time, memory or a count. A row has one
// or several figures ([Line]); a figure's key is the row's number, with the part's name where there are several:
// "1", "4 browsing", "4 shopping". Whoever measures one asks [Judge] for the verdict and puts it into [Results],
// which is the "budgets" of a report.
package budget
