package seed

import "testing"

func BenchmarkGenerate(b *testing.B) {
	for _, size := range []Size{Small, Medium, Large} {
		b.Run(string(size), func(b *testing.B) {
			for b.Loop() {
				Generate(size)
			}
		})
	}
}

// BenchmarkHashPassword is the part of Generate that is dear on purpose: it is done twice.
func BenchmarkHashPassword(b *testing.B) {
	for b.Loop() {
		hashPassword(ReaderPassword)
	}
}
