// Package telemetry is what a process says about itself: logs by slog, traces
// as the W3C traceparent that travels with each request and each event, and
// metrics for Prometheus.
//
// A trace id is on every log line that was written for a request, whichever
// process wrote it, so one grep follows a purchase through the whole fleet.
package telemetry
