// Package rolling replaces a fleet piece by piece while customers use it, and looks whether any of them noticed.
//
// [Run] starts a lab of its own with two instances of every service, the gateway included. Customers search, fill
// carts, buy, cancel, look after their orders, leave and sign in again, through both gateways. As any load
// balancer would, they turn to the other gateway when one can't be connected to, and leave one that says
// "Connection: close"; besides that they forgive nothing: an answer that is not the right one, or none, is a failure.
// Meanwhile every process is restarted by SIGTERM, and the signing keys and the services' own keys are exchanged.
//
// Then two things happen that some requests can't survive, and the shop has to: an instance of orders is killed in
// the middle of checkouts, and one stands still for longer than its relay may.
//
// In the end the shop is judged by what it promised to its customers, by the invariants, and by PostgreSQL's
// log, which must tell of no deadlock: two instances of a service lock rows in one order.
package rolling
