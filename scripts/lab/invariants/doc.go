// Package invariants holds a shop to what must be true whatever its code says: money against parcels, copies
// against sales, what one area copied against what another has.
//
// It looks past the shop, into its database as the superuser, into the broker, into the card processor's ledger and
// into the mail that arrived. The ledger and the mail are loaded into temporary tables beside the shop's own, so that
// each rule is one SQL statement over one snapshot, and the rows that break it can be named.
//
// The rules hold for a shop at rest. [Shop.Settle] waits for that, and says what is still under way if it does not come;
// [Shop.Check] then gives a verdict per rule. No code is shared with the shop: a judge that borrowed its ideas of what
// is right would borrow its mistakes as well.
package invariants
