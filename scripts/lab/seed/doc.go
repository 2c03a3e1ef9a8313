// Package seed makes the shop's data set: real books that people will recognise, in as many
// editions as the chosen size asks for, customers who can sign in, and the orders they placed.
//
// The same size always gives the same data, byte for byte, on every machine: both sides of a
// comparison start from equal rows, and Checksum names the data set that a result was made on.
// Nothing is read from the clock. The past orders end at Until.
//
// The works in works.csv were all published before 1929 by authors who died before 1956. They are
// dated as they usually are, by their first appearance in a magazine, in parts or as a book; what
// is older than the printing press by the year it is thought to have been written in, BC as a
// negative number. Each work is sold as a book of its own. All further books are editions of the
// works by other publishers: illustrated, annotated, in large print. Publishers are invented, and
// so are the ISBNs: valid, but from a range (979-9) that no agency gives out.
//
// Sizes follow TPC-W, which has 2,880 customers per emulated browser, 0.9 orders per customer and
// about 3 lines per order:
//
//	size    books    customers  orders
//	small     1,000      1,000   4,000  more than 0.9 per customer, to fill the bestsellers' window
//	medium   10,000     14,400  12,960  5 emulated browsers
//	large   100,000     57,600  51,840  20 emulated browsers
//
// Book number n is the same book at every size. Sales are skewed, as they are in a real shop: few
// books sell much and most sell a little. Each book came in by one delivery, so that for every
// book delivered = in stock + sold, before the first request and, in a shop that keeps its
// books, ever after.
package seed
