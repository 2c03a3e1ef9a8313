// Package gate speaks to a gateway's ops port: it shows and replaces the table of routes, holds routes and lets them go,
// and closes connections that nobody uses. So what is behind a gateway is replaced while customers are asking.
//
// A gateway that can't be asked is [ErrAway]. Everything else that goes wrong is what the gateway says itself.
package gate
