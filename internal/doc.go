// Package internal is the chassis: what would serve any other domain as well,
// one small package per concern. It holds nothing itself but the test of the
// rules of the house, boundaries_test.go.
package internal
