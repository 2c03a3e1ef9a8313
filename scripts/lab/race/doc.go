// Package race lets many customers buy the last copies of a book at the same moment, and sends one checkout fifty times at
// once. It works on any running shop, and judges what it was told: by the answers, the customers' orders, the stock that
// the shop shows and the card processor's ledger.
package race
