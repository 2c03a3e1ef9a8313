// Package chaos breaks everything that can break, one thing after the other, from a seed
// ([banyan/scripts/lab/chaos/fault]), and in between kills processes at the moments that matter
// ([banyan/scripts/lab/chaos/points]), while customers buy, look at their orders again, cancel some of them and have others
// sent off. Their history is on disk before anything is asked.
//
// [Run] starts a lab of its own with a proxy in every wire. When the customers have left, nobody lends a hand: the shop has
// a minute to come to rest, and is then held to the invariants and to what the customers were told.
package chaos
