// Package deadletters shows a person the events that a service rejected, and
// asks for another try of them. Both work on the service's database alone: the
// running service does the replaying, with package events.
package deadletters
